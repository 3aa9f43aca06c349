"""Product retrieval (NAVER AI Hackathon 2018)."""
