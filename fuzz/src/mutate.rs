//! Mutations that know where the numbers of a file are: random bytes seldom get past the checks of a footer's form.
//!
//! A Parquet footer is a structure in Thrift's compact form, whose counts, sizes, offsets and types are numbers of one to ten bytes;
//! an Arrow message is a flatbuffer, whose numbers stand in words of two, four or eight bytes. One of them is set to what a reader
//! may not expect, and the length of the footer is put right again.

use std::ops::Range;

/// What readers may not expect of a count, a size or an offset.
const SURPRISES: [i64; 16] = [
    0,
    1,
    -1,
    2,
    7,
    255,
    65_536,
    1 << 20,
    1 << 30,
    i32::MAX as i64,
    i32::MIN as i64,
    1 << 40,
    1 << 50,
    i64::MAX,
    i64::MIN,
    -65_536,
];

/// Random numbers (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// A surprise, or something near what was there.
    fn value(&mut self, before: i64) -> i64 {
        match self.next() % 4 {
            0 => before.wrapping_add(1),
            1 => before.wrapping_sub(1),
            _ => SURPRISES[self.below(SURPRISES.len())],
        }
    }
}

/// A number of the Parquet footer or the Arrow messages in `bytes` changed; none where these hold neither.
pub fn binary(bytes: &[u8], seed: u32) -> Option<Vec<u8>> {
    let mut random = Random((u64::from(seed) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    // Seeds that are near each other draw alike at first.
    (0..8).for_each(|_| _ = random.next());
    let length = bytes.len();
    let footer = bytes.ends_with(b"PAR1").then(|| length.checked_sub(8)).flatten().and_then(|end| {
        let size = u32::from_le_bytes(bytes[end..end + 4].try_into().ok()?) as usize;
        Some(end.checked_sub(size)?..end)
    });
    if let Some(footer) = footer {
        return thrift(bytes, footer, &mut random);
    }
    let messages = messages(bytes);
    let message = messages.get(random.below(messages.len()))?.clone();
    let mut changed = bytes.to_vec();
    let width = [2, 4, 4, 8][random.below(4)];
    let words = message.len() / width;
    let at = message.start + width * random.below(words);
    let word = changed.get_mut(at..at + width)?;
    let mut before = [0; 8];
    before[..width].copy_from_slice(word);
    let value = random.value(i64::from_le_bytes(before)).to_le_bytes();
    word.copy_from_slice(&value[..width]);
    Some(changed)
}

/// The metadata of Arrow's messages: behind a mark of four bytes 255 and a length.
fn messages(bytes: &[u8]) -> Vec<Range<usize>> {
    let marks = bytes.windows(8).enumerate().filter(|(_, window)| window.starts_with(&[255; 4]));
    marks
        .filter_map(|(at, window)| {
            let length = u32::from_le_bytes(window[4..].try_into().ok()?) as usize;
            let range = at + 8..(at + 8).checked_add(length)?;
            (length >= 8 && range.end <= bytes.len()).then_some(range)
        })
        .collect()
}

/// One number of the footer changed.
fn thrift(bytes: &[u8], footer: Range<usize>, random: &mut Random) -> Option<Vec<u8>> {
    let mut walk = Walk { bytes: &bytes[footer.clone()], at: 0, numbers: Vec::new() };
    // As far as it can be read.
    let _ = walk.structure(0);
    let (place, number) = walk.numbers.get(random.below(walk.numbers.len()))?.clone();
    let mut encoded = Vec::new();
    let value = match number {
        Number::Signed => {
            let before = walk.varint_at(place.start)?;
            let value = random.value((before >> 1) as i64 ^ -((before & 1) as i64));
            (value << 1 ^ value >> 63) as u64
        }
        Number::Length => random.value(walk.varint_at(place.start)? as i64) as u64,
    };
    varint(value, &mut encoded);
    let mut changed = bytes[..footer.start + place.start].to_vec();
    changed.extend(encoded);
    changed.extend(&bytes[footer.start + place.end..footer.end]);
    let size = u32::try_from(changed.len() - footer.start).ok()?;
    changed.extend(size.to_le_bytes());
    changed.extend(b"PAR1");
    Some(changed)
}

fn varint(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// How a number is written.
#[derive(Clone)]
enum Number {
    /// Folded, so that small negative ones are short.
    Signed,
    /// Of bytes or elements.
    Length,
}

/// The numbers of a structure in Thrift's compact form.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    numbers: Vec<(Range<usize>, Number)>,
}

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.at += 1;
        self.bytes.get(self.at - 1).copied()
    }

    fn varint_at(&self, start: usize) -> Option<u64> {
        let mut value = 0;
        for (i, byte) in self.bytes.get(start..)?.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * i as u32);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn number(&mut self, number: Number) -> Option<u64> {
        let start = self.at;
        let value = self.varint_at(start)?;
        while self.byte()? & 0x80 != 0 {}
        self.numbers.push((start..self.at, number));
        Some(value)
    }

    fn structure(&mut self, depth: usize) -> Option<()> {
        loop {
            let head = self.byte()?;
            if head == 0 || depth > 20 {
                return Some(());
            }
            if head >> 4 == 0 {
                // A field whose number is far from that of the one before.
                self.number(Number::Signed)?;
            }
            self.value(head & 15, depth)?;
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            // Truth is in the head.
            1 | 2 => {}
            3 => self.byte().map(drop)?,
            4..=6 => {
                self.number(Number::Signed)?;
            }
            7 => self.at += 8,
            8 => {
                let length = self.number(Number::Length)? as usize;
                self.at = self.at.checked_add(length)?;
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.number(Number::Length)? } else { u64::from(head >> 4) };
                for _ in 0..count {
                    // Truths in a list are a byte each.
                    if matches!(head & 15, 1 | 2) { self.byte().map(drop)? } else { self.value(head & 15, depth + 1)? }
                }
            }
            12 => self.structure(depth + 1)?,
            _ => return None,
        }
        (self.at <= self.bytes.len()).then_some(())
    }
}
