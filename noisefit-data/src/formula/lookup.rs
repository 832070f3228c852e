//! Where a level stands among many.

use super::learned::{Integer, Levels};

/// The places of levels by hashes of their values: an open table of twice as many slots, at least, as there are levels.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    slots: Vec<u32>,
}

/// A slot without a level.
const FREE: u32 = u32::MAX;

impl Lookup {
    pub fn new(levels: &Levels) -> Self {
        let count = levels.len();
        let mut lookup = Lookup { slots: vec![FREE; (2 * count).next_power_of_two().max(2)] };
        for place in 0..count {
            let hash = match levels {
                Levels::Numbers(numbers) => of_number(numbers[place], 0.0),
                Levels::Integers(integers) => of_number(integers[place].0, integers[place].1),
                Levels::Texts(texts) => of_text(&texts[place]),
            };
            let slot = lookup.probe(hash, |known| known == FREE);
            lookup.slots[slot] = place as u32;
        }
        lookup
    }

    /// The place of a text among the levels that it was made of.
    pub fn text(&self, levels: &Levels, text: &str) -> Option<u32> {
        let Levels::Texts(texts) = levels else { return None };
        self.find(of_text(text), |place| texts[place] == text)
    }

    /// The place of a number, an integer of more digits than a double has being the sum of two.
    #[inline]
    pub fn number(&self, levels: &Levels, number: Integer) -> Option<u32> {
        let Integer(high, low) = number;
        match levels {
            Levels::Numbers(numbers) => {
                self.find(of_number(high, low), |place| numbers[place] == high).filter(|_| low == 0.0)
            }
            Levels::Integers(integers) => self.find(of_number(high, low), |place| integers[place] == number),
            Levels::Texts(_) => None,
        }
    }

    #[inline]
    fn find(&self, hash: u64, is: impl Fn(usize) -> bool) -> Option<u32> {
        let slot = self.probe(hash, |known| known == FREE || is(known as usize));
        Some(self.slots[slot]).filter(|place| *place != FREE)
    }

    /// The first slot from that of the hash on whose level is wanted.
    #[inline]
    fn probe(&self, hash: u64, wanted: impl Fn(u32) -> bool) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while !wanted(self.slots[slot]) {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

/// Zero has two signs and is one level.
#[inline]
fn of_number(high: f64, low: f64) -> u64 {
    mixed((high + 0.0).to_bits() ^ (low + 0.0).to_bits().rotate_left(31))
}

fn of_text(text: &str) -> u64 {
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte));
    text.as_bytes().chunks(8).fold(text.len() as u64, |hash, bytes| mixed(hash ^ word(bytes)))
}

/// The finaliser of the SplitMix64 generator (Steele, Lea and Flood 2014): a good hash of 64 bits.
#[inline]
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_found_and_no_other_is() {
        let numbers: Vec<f64> = (-500..500).map(|i| f64::from(i) * 0.25).collect();
        let numbers = Levels::Numbers(numbers);
        let lookup = Lookup::new(&numbers);
        for i in -600..600 {
            let place = lookup.number(&numbers, Integer(f64::from(i) * 0.25, 0.0));
            assert_eq!(place, (-500..500).contains(&i).then_some((i + 500) as u32));
        }
        assert_eq!(lookup.number(&numbers, Integer(-0.0, 0.0)), Some(500));
        assert_eq!(lookup.number(&numbers, Integer(0.125, 0.0)), None);
        let texts = Levels::Texts((0..300).map(|i| format!("firm {i:04}")).collect());
        let lookup = Lookup::new(&texts);
        assert_eq!(lookup.text(&texts, "firm 0299"), Some(299));
        assert_eq!(lookup.text(&texts, "firm 0300"), None);
        assert_eq!(lookup.text(&texts, ""), None);
        let large = 9_007_199_254_740_992.0;
        let integers = Levels::Integers(vec![Integer(large, 0.0), Integer(large, 1.0)]);
        let lookup = Lookup::new(&integers);
        assert_eq!(lookup.number(&integers, Integer(large, 1.0)), Some(1));
        assert_eq!(lookup.number(&integers, Integer(large, 2.0)), None);
    }
}
