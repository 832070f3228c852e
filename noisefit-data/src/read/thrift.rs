//! As much of Parquet's headers (Thrift, compact protocol) as tells whether what they promise can be: the depth of a schema, and the
//! sizes of pages.

/// A schema nested deeper than this is refused: its readers call themselves for every level.
const DEEPEST: usize = 100;

/// A walk through a Thrift structure.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The types that fields have in the compact protocol.
mod types {
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const BYTE: u8 = 3;
    pub const I16: u8 = 4;
    pub const I32: u8 = 5;
    pub const I64: u8 = 6;
    pub const DOUBLE: u8 = 7;
    pub const BINARY: u8 = 8;
    pub const LIST: u8 = 9;
    pub const SET: u8 = 10;
    pub const STRUCT: u8 = 12;
}

impl<'a> Walk<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Calls `field` with the number and the type of every field; what it does not take (it says `false`) is stepped over.
    fn fields(&mut self, depth: usize, mut field: impl FnMut(&mut Walk<'a>, i64, u8) -> Option<bool>) -> Option<()> {
        let mut number = 0;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            number = if head >> 4 == 0 { self.signed()? } else { number + i64::from(head >> 4) };
            if !field(self, number, head & 15)? {
                self.skip(head & 15, depth)?;
            }
        }
    }

    /// The type of a list's elements, and their number.
    fn list(&mut self) -> Option<(u8, u64)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.unsigned()? } else { u64::from(head >> 4) };
        Some((head & 15, count))
    }

    fn skip(&mut self, of_type: u8, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match of_type {
            types::TRUE | types::FALSE => Some(()),
            types::BYTE => self.byte().map(drop),
            types::I16 | types::I32 | types::I64 => self.unsigned().map(drop),
            types::DOUBLE => self.step(8),
            types::BINARY => {
                let length = self.unsigned()?;
                self.step(length)
            }
            types::LIST | types::SET => {
                let (element, count) = self.list()?;
                (0..count).try_for_each(|_| match element {
                    types::TRUE | types::FALSE => self.byte().map(drop),
                    element => self.skip(element, depth),
                })
            }
            types::STRUCT => self.fields(depth, |_, _, _| Some(false)),
            _ => None,
        }
    }

    fn step(&mut self, count: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(count).ok()?).filter(|&at| at <= self.bytes.len())?;
        Some(())
    }
}

/// Nesting of structures that are stepped over.
const STEPPED_OVER: usize = 16;

/// Refuses a footer whose schema is nested too deeply or names more children than it has. What is wrong with it otherwise, its
/// decoder says.
pub(crate) fn check_schema(footer: &[u8]) -> Result<(), String> {
    let mut found = Ok(());
    let mut walk = Walk { bytes: footer, at: 0 };
    walk.fields(STEPPED_OVER, |walk, number, of_type| {
        if (number, of_type) != (2, types::LIST) {
            return Some(false);
        }
        let (_, elements) = walk.list()?;
        // How many children of each open group are to come.
        let mut open: Vec<u64> = Vec::new();
        for element in 0..elements {
            let mut children = 0;
            walk.fields(STEPPED_OVER, |walk, number, of_type| {
                let is_count = (number, of_type) == (5, types::I32);
                if is_count {
                    children = walk.signed()?;
                }
                Some(is_count)
            })?;
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(last) = open.last_mut() {
                *last -= 1;
            }
            match u64::try_from(children) {
                Ok(children) if children < elements - element => open.push(children),
                _ => found = Err(format!("its schema names a group of {children} columns, and has {elements} in all")),
            }
            if open.len() > DEEPEST {
                found = Err(format!("its schema is nested more than {DEEPEST} deep"));
            }
            if found.is_err() {
                return None;
            }
        }
        Some(true)
    });
    found
}

/// The head of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PageHead {
    /// Its own length.
    pub length: u64,
    /// The bytes of the page as they are stored and as they are decompressed.
    pub stored: i64,
    pub bytes: i64,
    /// The number of values of a dictionary.
    pub dictionary_values: i64,
}

/// The head of the page that `bytes` begin with; none where it is not one or not all there.
pub(crate) fn page_head(bytes: &[u8]) -> Option<PageHead> {
    let mut head = PageHead::default();
    let mut walk = Walk { bytes, at: 0 };
    walk.fields(STEPPED_OVER, |walk, number, of_type| {
        match (number, of_type) {
            (2, types::I32) => head.bytes = walk.signed()?,
            (3, types::I32) => head.stored = walk.signed()?,
            (7, types::STRUCT) => walk.fields(STEPPED_OVER, |walk, number, of_type| {
                let is_count = (number, of_type) == (1, types::I32);
                if is_count {
                    head.dictionary_values = walk.signed()?;
                }
                Some(is_count)
            })?,
            _ => return Some(false),
        }
        Some(true)
    })?;
    head.length = walk.at as u64;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A footer of version 1 whose schema has groups of these numbers of children.
    fn footer(children: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x15, 0x02, 0x19, 0xfc];
        let mut count = children.len();
        while count >= 0x80 {
            bytes.push(count as u8 | 0x80);
            count >>= 7;
        }
        bytes.push(count as u8);
        for &children in children {
            // Field 4, a name of one letter; field 5, the number of children.
            bytes.extend([0x48, 1, b'a', 0x15, children * 2, 0]);
        }
        bytes.push(0);
        bytes
    }

    #[test]
    fn schemas_are_walked_through_without_calling_oneself() {
        assert_eq!(check_schema(&footer(&[2, 1, 0, 0])), Ok(()));
        let deep: Vec<u8> = std::iter::repeat_n(1, 20_000).chain([0]).collect();
        assert_eq!(check_schema(&footer(&deep)), Err("its schema is nested more than 100 deep".to_owned()));
        let told = check_schema(&footer(&[60, 0]));
        assert_eq!(told, Err("its schema names a group of 60 columns, and has 2 in all".to_owned()));
        assert_eq!(check_schema(b"no footer"), Ok(()), "which its decoder says");
    }

    #[test]
    fn heads_of_pages() {
        // Type 2 (a dictionary), 24 and 26 bytes, a dictionary of 3 values in encoding 0.
        let head = [0x15, 0x04, 0x15, 48, 0x15, 52, 0x4c, 0x15, 6, 0x15, 0, 0, 0, 0xff];
        let expected = PageHead { length: 13, stored: 26, bytes: 24, dictionary_values: 3 };
        assert_eq!(page_head(&head), Some(expected));
        assert_eq!(page_head(&head[..8]), None);
    }
}
