"""What is generated from the code and checked in: `python -m deploy.generate` writes it, a test holds it current."""
