from mnist_exp.training import seeds


def test_streams_and_indices_are_independent() -> None:
    drawn = {
        seeds.integer(seed, stream, index)
        for seed in (0, 1)
        for stream in ("weights", "dropout", "shuffling", "figures")
        for index in (0, 1)
    }
    assert len(drawn) == 16


def test_integers_fit_a_signed_32_bit_number() -> None:
    assert all(0 <= seeds.integer(seed, "weights") < 2**31 for seed in range(200))


def test_seed_zero_is_a_seed() -> None:
    assert seeds.integer(0, "weights") == seeds.integer(0, "weights")
