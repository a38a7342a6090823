"""Training and measuring the reader of ``bot/appraisal``. A development tool: nothing here is needed at run time."""
