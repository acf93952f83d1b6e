"""Two fingerprints in plain words."""

from service.store.fingerprints import differences

HERE = {"blas_kernel": "SkylakeX", "shards": 1, "cpu_features": ["avx", "avx2"]}


def test_equal_fingerprints_have_no_differences():
    assert differences(HERE, dict(HERE)) == []


def test_each_difference_is_named_in_words():
    there = {"blas_kernel": "Haswell", "shards": 2, "cpu_features": []}
    assert differences(HERE, there) == [
        "the number of shards: 1, then 2",
        "the BLAS kernels: SkylakeX, then Haswell",
        "the CPU's vector instructions: avx avx2, then none",
    ]


def test_what_one_of_them_does_not_know_is_a_difference():
    assert differences({}, {"blas_kernel": "Haswell", "moon": "full"}) == [
        "the BLAS kernels: unknown, then Haswell",
        "moon: unknown, then full",
    ]
