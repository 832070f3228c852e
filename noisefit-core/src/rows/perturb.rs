//! Numbers moved at random within their own rounding error, to see how many digits of a result they determine.

/// Numbers with this many trailing zero bits in their 53-bit significand (small integers, halves, quarters) are taken
/// as exact: a rounded number has them with probability `2^-16`.
const EXACT_TRAILING_ZEROS: u32 = 16;

/// Below this every integer is a double, so that one that is written down is the integer itself.
const EXACT_INTEGERS: f64 = (1u64 << 53) as f64;

/// What to add to `value` in perturbation draw `draw`: uniform within half a unit in its last place, the same for the
/// same draw, row and column. Zero for numbers that are evidently exact, as integers below `2^53` are.
///
/// The method is stochastic arithmetic restricted to the inputs (Parker 1997, *Monte Carlo Arithmetic*).
pub fn perturbation(value: f64, draw: u32, row: u64, column: u64) -> f64 {
    let significand = value.to_bits() & ((1 << 52) - 1);
    let integer = value.fract() == 0.0 && value.abs() < EXACT_INTEGERS;
    if integer || significand.trailing_zeros() >= EXACT_TRAILING_ZEROS {
        return 0.0;
    }
    let uniform = split_mix(u64::from(draw) << 48 ^ column << 32 ^ split_mix(row)) as f64 / u64::MAX as f64 - 0.5;
    uniform * (value.abs().next_up() - value.abs())
}

/// The finaliser of the SplitMix64 generator (Steele, Lea and Flood 2014): a good hash of 64 bits.
#[inline]
pub fn split_mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_numbers_stay_and_others_move_within_half_an_ulp() {
        for exact in [0.0, 1.0, -7.0, 0.5, 1234567.25, 1e9, 1_700_000_000_123_457.0, -9_007_199_254_740_991.0] {
            assert_eq!(perturbation(exact, 1, 2, 3), 0.0);
        }
        let (mut sum, mut largest) = (0.0, 0.0f64);
        for row in 0..10_000 {
            let moved = perturbation(0.1, 1, row, 0) / (0.1f64.next_up() - 0.1);
            sum += moved;
            largest = largest.max(moved.abs());
        }
        assert!(largest <= 0.5 && largest > 0.49 && (sum / 1e4).abs() < 0.01);
        assert_ne!(perturbation(0.1, 1, 0, 0), perturbation(0.1, 2, 0, 0));
        assert_ne!(perturbation(1.234_567_890_123_456_7e19, 1, 0, 0), 0.0);
    }
}
