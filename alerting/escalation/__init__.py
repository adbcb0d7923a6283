"""Who is asked when, and what happens when nobody answers: policies, rosters, the ladder, the dispatcher."""
