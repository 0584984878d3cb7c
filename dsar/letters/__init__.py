"""Letters: facts to words (Jinja2), words to text, DOCX and PDF."""
