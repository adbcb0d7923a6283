"""The screens: a nurse works from them all day, the huisarts sees what is theirs."""
