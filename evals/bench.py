"""Measure what the learner waits for that is not the model: one turn's local work, and the second start.

Run with ``make bench``. Prints medians of whole turns as `Session.say` makes them, stage by stage.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from bot.parts import Parts
from bot.retrieval import Index
from bot.scenarios import load_library
from bot.session import Session
from bot.settings import get_settings, load_settings

REPLIES = (
    "一天八个电话，手机一响心就往下沉，换谁都得急。这口气您先出，我听着。",
    "您不是不想还，您是希望有人能认真听听您家现在的情况，给一个能喘口气的安排。",
    "我多问一句，不是审您，是想帮您对症：这个压力是从哪个月开始的？每个月稳稳当当能拿出来多少？",
    "虽然利息本身我没有权限动，但是罚息这一块，材料齐了我可以帮您往上申请，批不批看审核，十个工作日我给您回话。",
    "那咱们就说定三件事：电话今天停，明细明早十点前发您，材料您周五前给我。您今天能把话说开，比什么都强。",
)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), content_dir=get_settings().content_dir, _env_file=None)
        start = time.perf_counter()
        report = Index.open(settings).sync_knowledge(load_library(settings.content_dir))
        print(f"首次建索引 {time.perf_counter() - start:.1f} 秒（{report.added} 段）")
        start = time.perf_counter()
        parts = Parts.open(settings)
        print(f"打开全部部件 {time.perf_counter() - start:.2f} 秒")
        turns = _turns(parts)
        print(
            f"一轮本地耗时（不含模型）：中位 {statistics.median(turns):.0f} ms，最大 {max(turns):.0f} ms，共 {len(turns)} 轮"
        )


def _turns(parts: Parts) -> list[float]:
    taken = []
    for i, scenario in enumerate(("SC01", "SC11", "SC17", "SC25", "SC26", "SC34") * 2):
        session = Session.start(parts, scenario, seed=i)
        for n, reply in enumerate(REPLIES):
            if session.ended:
                break
            text = (
                f"{reply[:-1]}，第{i}场{n}。"  # a new wording each time, so that no cached vector flatters the figure
            )
            start = time.perf_counter()
            turn = session.say(text)
            session.feedback(turn.n)
            taken.append((time.perf_counter() - start) * 1000)
    return taken


if __name__ == "__main__":
    main()
