"""The regression suite: cases in YAML, played through the product, checked, compared and reported."""
