//! Numbers that look random and are the same in every run.

/// A word that depends on `seed` and `number` in no simple way (Steele, Lea and Flood 2014, *OOPSLA*, 453-472).
pub(crate) fn scattered(seed: u64, number: u64) -> u64 {
    let word = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Such a whole number below `count`, by the upper half of a product where a remainder would take a division.
pub(crate) fn scattered_below(seed: u64, number: u64, count: usize) -> usize {
    ((u128::from(scattered(seed, number)) * count as u128) >> 64) as usize
}

/// Such a number in 0..1.
pub(crate) fn scattered_share(seed: u64, number: u64) -> f64 {
    (scattered(seed, number) >> 11) as f64 / (1u64 << 53) as f64
}
