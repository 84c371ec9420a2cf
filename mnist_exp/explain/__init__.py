"""How much of the gap between the tutorials' CNNs each difference explains."""
