"""Figures for plan-do-check-act: counted for all, without what would tell of few people."""
