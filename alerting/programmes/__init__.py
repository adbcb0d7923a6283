"""The programmes that come with Thuiswacht, as data, and the commands that check and list them."""
