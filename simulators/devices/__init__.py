"""What devices and their vendors make of what patients measure: units, delays, repeats, artefacts."""
