import pytest

from bench.figures import exponent, growth, median_ratio, percentile, slope, spread


class TestPercentiles:
    def test_are_values_that_were_measured(self) -> None:
        values = [0.4, 0.1, 0.3, 0.2]
        assert [percentile(values, share) for share in (0.25, 0.5, 0.51, 0.99, 1.0)] == [0.1, 0.2, 0.3, 0.4, 0.4]

    def test_of_a_hundred_leave_out_the_slowest_one(self) -> None:
        assert percentile([float(number) for number in range(1, 101)], 0.99) == 99.0

    def test_of_nothing_are_none(self) -> None:
        with pytest.raises(ValueError, match="nothing"):
            percentile([], 0.5)

    def test_are_told_in_milliseconds(self) -> None:
        assert spread([0.001, 0.0025]) == {"count": 2, "p50_ms": 1.0, "p95_ms": 2.5, "p99_ms": 2.5, "max_ms": 2.5}


class TestRatios:
    def test_are_taken_pair_by_pair(self) -> None:
        """The machine became three times slower in between, the ratio did not."""
        assert median_ratio([(60.0, 48.0), (20.0, 16.0), (50.0, 45.0)]) == 0.8


class TestExponents:
    @pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
    def test_are_the_power_that_made_the_costs(self, power: float) -> None:
        sizes = [100, 1_000, 10_000]
        assert exponent(sizes, [7 * size**power for size in sizes]) == pytest.approx(power)

    def test_fit_what_is_noisy(self) -> None:
        assert exponent([100, 1_000, 10_000], [1.1, 9.0, 104.0]) == pytest.approx(1.0, abs=0.05)

    def test_need_two_sizes(self) -> None:
        with pytest.raises(ValueError, match="two sizes"):
            exponent([5, 5], [1.0, 2.0])

    def test_of_many_are_those_of_the_most_costly_and_of_the_one_in_the_middle(self) -> None:
        assert growth({"1000": {"a": 3.0, "b": 9.0, "c": 3.0}, "100": {"a": 1.0, "b": 9.0, "c": 3.0}}) == {
            "worst": 0.0,
            "median": 0.0,
        }
        assert growth({"10": {"a": 1.0}, "1000": {"a": 100.0}}) == {"worst": 1.0, "median": 1.0}


class TestSlopes:
    def test_are_by_how_much_each_exceeds_the_one_before(self) -> None:
        assert slope([3.0, 5.0, 7.0, 9.0]) == pytest.approx(2.0)

    def test_of_what_is_flat_are_none(self) -> None:
        assert slope([0.2, 0.1, 0.1, 0.2]) == pytest.approx(0.0)
