"""The Streamlit pages: thin callers of Session and Store. Nothing that would hurt to lose lives in session state."""
