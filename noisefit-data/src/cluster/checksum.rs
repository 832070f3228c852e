//! A number that tells the values of some columns from others.

use crate::frame::{Column, Frame, MISSING};

/// Odd numbers without a pattern: fractions of the golden ratio and of the square root of 3.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: u64 = 0xbb67_ae85_84ca_a73b;

/// A checksum of the values of columns in their order, whatever batches they come in and however their categories are coded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checksum {
    rows: u64,
    sum: u64,
}

impl Checksum {
    /// Adds the rows of a frame.
    pub fn add(&mut self, frame: &Frame) {
        for (number, column) in frame.columns.iter().enumerate() {
            let first = (number as u64 + 1).wrapping_mul(MIX).wrapping_add(self.rows.wrapping_mul(STEP));
            match column {
                Column::Number { high, .. } => self.add_words(first, high.iter().map(|value| value.to_bits())),
                Column::Category { codes, levels } => {
                    let texts: Vec<u64> = levels.iter().map(|level| of_text(level)).collect();
                    let word = |code: &u32| match *code {
                        MISSING => MIX,
                        code => texts.get(code as usize).copied().unwrap_or(STEP),
                    };
                    self.add_words(first, codes.iter().map(word));
                }
            }
        }
        self.rows += frame.rows as u64;
    }

    /// Each word is mixed with its place, so that they can be added in any order: no step waits for the one before.
    fn add_words(&mut self, first: u64, words: impl Iterator<Item = u64>) {
        let (mut place, mut sum) = (first, self.sum);
        for word in words {
            let mixed = (word ^ place).wrapping_mul(MIX);
            sum = sum.wrapping_add((mixed ^ (mixed >> 29)).wrapping_mul(STEP));
            place = place.wrapping_add(STEP);
        }
        self.sum = sum;
    }

    /// The checksum.
    pub fn finish(&self) -> u64 {
        self.sum ^ self.rows.wrapping_mul(STEP)
    }
}

/// FNV-1a.
fn of_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(numbers: &[f64], codes: &[u32], levels: &[&str]) -> Frame {
        let levels: Vec<String> = levels.iter().map(|level| (*level).to_owned()).collect();
        let columns = vec![
            Column::Number { high: numbers.to_vec(), low: None },
            Column::Category { codes: codes.to_vec(), levels: levels.into() },
        ];
        Frame { file: 0, first_record: 0, rows: numbers.len(), columns }
    }

    fn of(frames: &[Frame]) -> u64 {
        let mut checksum = Checksum::default();
        frames.iter().for_each(|frame| checksum.add(frame));
        checksum.finish()
    }

    #[test]
    fn it_is_of_the_values_and_not_of_the_batches_or_the_codes() {
        let whole = of(&[frame(&[1.0, 2.0, f64::NAN], &[0, 1, MISSING], &["a", "b"])]);
        let parts = of(&[frame(&[1.0], &[0], &["a"]), frame(&[2.0, f64::NAN], &[0, MISSING], &["b"])]);
        assert_eq!(whole, parts);
        let others = [
            frame(&[2.0, 1.0, f64::NAN], &[0, 1, MISSING], &["a", "b"]),
            frame(&[1.0, 2.0, f64::NAN], &[1, 0, MISSING], &["a", "b"]),
            frame(&[1.0, 2.0, f64::NAN], &[0, 1, 0], &["a", "b"]),
            frame(&[1.0, 2.0], &[0, 1], &["a", "b"]),
            frame(&[1.0, 2.0, f64::NAN], &[0, 1, MISSING], &["a", "c"]),
        ];
        for other in others {
            assert_ne!(of(&[other]), whole);
        }
    }
}
