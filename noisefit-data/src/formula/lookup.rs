//! Where a level stands among many.

use noisefit_core::rows::split_mix;

use super::learned::{Integer, Levels};
use crate::texts::hash_of_bytes;

/// The places of levels by hashes of their values: an open table of twice as many slots, at least, as there are levels.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    slots: Vec<Slot>,
}

/// A level, or none.
#[derive(Debug, Clone, Copy)]
struct Slot {
    key: Key,
    place: u32,
}

/// A slot without a level.
const FREE: u32 = u32::MAX;

/// What tells a value from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    hash: u64,
    /// Whether it tells it from all others: the hash of 64 bits is another for every 64 bits.
    exact: bool,
}

impl Lookup {
    pub fn new(levels: &Levels) -> Self {
        let count = levels.len();
        let free = Slot { key: Key { hash: 0, exact: false }, place: FREE };
        let mut lookup = Lookup { slots: vec![free; (2 * count).next_power_of_two().max(2)] };
        for place in 0..count {
            let key = match levels {
                Levels::Numbers(numbers) => of_number(Integer(numbers[place], 0.0)),
                Levels::Integers(integers) => of_number(integers[place]),
                Levels::Texts(texts) => of_text(&texts[place]),
            };
            let slot = lookup.probe(key.hash, |_| false);
            lookup.slots[slot] = Slot { key, place: place as u32 };
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
        match levels {
            Levels::Numbers(_) => self.find(of_number(number), |_| false),
            Levels::Integers(integers) => self.find(of_number(number), |place| integers[place] == number),
            Levels::Texts(_) => None,
        }
    }

    #[inline]
    fn find(&self, key: Key, is: impl Fn(usize) -> bool) -> Option<u32> {
        let slot = self.probe(key.hash, |slot| slot.key == key && (key.exact || is(slot.place as usize)));
        Some(self.slots[slot].place).filter(|place| *place != FREE)
    }

    /// The first slot from that of the hash on that is free or wanted.
    #[inline]
    fn probe(&self, hash: u64, wanted: impl Fn(&Slot) -> bool) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        while self.slots[place].place != FREE && !wanted(&self.slots[place]) {
            place = (place + 1) & mask;
        }
        place
    }
}

/// Zero has two signs and is one level; an integer of more digits than a double has is told by both its words.
#[inline]
fn of_number(Integer(high, low): Integer) -> Key {
    let (high, low) = ((high + 0.0).to_bits(), (low + 0.0).to_bits());
    Key { hash: split_mix(high ^ low.rotate_left(31)), exact: low == 0 }
}

/// Up to eight bytes are told by a word of 64 bits, whose last byte is the number of bytes where these are fewer.
fn of_text(text: &str) -> Key {
    let bytes = text.as_bytes();
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    };
    match bytes {
        _ if bytes.len() < 8 => Key { hash: split_mix(word(bytes) | (bytes.len() as u64) << 56), exact: true },
        [.., last] if bytes.len() == 8 && *last >= 8 => Key { hash: split_mix(word(bytes)), exact: true },
        _ => Key { hash: hash_of_bytes(bytes), exact: false },
    }
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
        // Short and long ones, and such as have a control character where others have their length.
        let names = ["", "\u{1}", "a", "a\0\0\0\0\0\0\u{1}", "abcdefg", "abcdefgh", "abcdefghi", "abcdefg\u{7}"];
        let mut sorted = names.map(str::to_owned);
        sorted.sort();
        let texts = Levels::Texts(sorted.to_vec());
        let lookup = Lookup::new(&texts);
        for (place, name) in sorted.iter().enumerate() {
            assert_eq!(lookup.text(&texts, name), Some(place as u32), "{name:?}");
        }
        for other in ["\0", "b", "abcdef", "abcdefgi", "abcdefghj"] {
            assert_eq!(lookup.text(&texts, other), None, "{other:?}");
        }
        let large = 9_007_199_254_740_992.0;
        let integers = Levels::Integers(vec![Integer(large, 0.0), Integer(large, 1.0)]);
        let lookup = Lookup::new(&integers);
        assert_eq!(lookup.number(&integers, Integer(large, 1.0)), Some(1));
        assert_eq!(lookup.number(&integers, Integer(large, 2.0)), None);
    }
}
