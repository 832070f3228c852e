//! As much of Parquet's headers (Thrift, compact protocol) as tells whether what they promise can be: the depth of a schema, and the
//! sizes of pages.
//!
//! The decoder takes a field by its number, whatever type the field says it has. A file whose fields are of other types would show one
//! schema to this walk and another to the decoder, so that such files are refused.

/// A schema nested deeper than this is refused: its readers call themselves for every level.
const DEEPEST: usize = 100;

/// Nesting of structures that are stepped over.
const STEPPED_OVER: usize = 16;

/// A walk through a Thrift structure. What is none as the specification has it ends the walk.
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
    pub const MAP: u8 = 11;
    pub const STRUCT: u8 = 12;
    pub const UUID: u8 = 13;
}

/// What a field of a known number holds.
#[derive(Clone, Copy)]
enum Shape {
    Boolean,
    /// A value of a type that is told by its code alone.
    Plain(u8),
    Struct(&'static [(i16, Shape)]),
}

/// The structures of Parquet's specification that are walked through, by the numbers of their fields.
mod shapes {
    use super::Shape::{self, Boolean, Plain, Struct};
    use super::types::{BINARY, BYTE, I32, I64};

    const NUMBER: Shape = Plain(I32);
    const EMPTY: Shape = Struct(&[]);
    const CLOCK: Shape = Struct(&[(1, Boolean), (2, Struct(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]))]);
    const LOGICAL_TYPE: Shape = Struct(&[
        (1, EMPTY),
        (2, EMPTY),
        (3, EMPTY),
        (4, EMPTY),
        (5, Struct(&[(1, NUMBER), (2, NUMBER)])),
        (6, EMPTY),
        (7, CLOCK),
        (8, CLOCK),
        (10, Struct(&[(1, Plain(BYTE)), (2, Boolean)])),
        (11, EMPTY),
        (12, EMPTY),
        (13, EMPTY),
        (14, EMPTY),
        (15, EMPTY),
        (16, Struct(&[(1, Plain(BYTE))])),
        (17, Struct(&[(1, Plain(BINARY))])),
        (18, Struct(&[(1, Plain(BINARY)), (2, NUMBER)])),
        (19, EMPTY),
    ]);

    /// `SchemaElement`; field 5 is the number of children.
    pub(super) const ELEMENT: &[(i16, Shape)] = &[
        (1, NUMBER),
        (2, NUMBER),
        (3, NUMBER),
        (4, Plain(BINARY)),
        (5, NUMBER),
        (6, NUMBER),
        (7, NUMBER),
        (8, NUMBER),
        (9, NUMBER),
        (10, LOGICAL_TYPE),
    ];

    const STATISTICS: Shape = Struct(&[
        (1, Plain(BINARY)),
        (2, Plain(BINARY)),
        (3, Plain(I64)),
        (4, Plain(I64)),
        (5, Plain(BINARY)),
        (6, Plain(BINARY)),
        (7, Boolean),
        (8, Boolean),
        (9, Plain(I64)),
    ]);
    const DATA_PAGE: Shape = Struct(&[(1, NUMBER), (2, NUMBER), (3, NUMBER), (4, NUMBER), (5, STATISTICS)]);
    const DATA_PAGE_2: Shape = Struct(&[
        (1, NUMBER),
        (2, NUMBER),
        (3, NUMBER),
        (4, NUMBER),
        (5, NUMBER),
        (6, NUMBER),
        (7, Boolean),
        (8, STATISTICS),
    ]);

    /// `DictionaryPageHeader`; field 1 is the number of values.
    pub(super) const DICTIONARY: &[(i16, Shape)] = &[(1, NUMBER), (2, NUMBER), (3, Boolean)];

    /// `PageHeader`; field 2 is the number of bytes, field 3 that of the bytes that are stored.
    pub(super) const PAGE: &[(i16, Shape)] = &[
        (1, NUMBER),
        (2, NUMBER),
        (3, NUMBER),
        (4, NUMBER),
        (5, DATA_PAGE),
        (6, EMPTY),
        (7, Struct(DICTIONARY)),
        (8, DATA_PAGE_2),
    ];
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

    /// The number and the type of the next field after that of the number `before`; no type at the end of the structure.
    fn head(&mut self, before: i16) -> Option<(i16, Option<u8>)> {
        let head = self.byte()?;
        if head & 15 == 0 {
            return Some((before, None));
        }
        let number = match head >> 4 {
            0 => i16::try_from(self.signed()?).ok()?,
            step => before.checked_add(i16::from(step))?,
        };
        Some((number, Some(head & 15)))
    }

    /// Walks through a structure whose known fields are those of `shape`. `field` is called with the number of each of these, and
    /// says whether it has taken the field's value.
    fn structure(
        &mut self,
        shape: &'static [(i16, Shape)],
        depth: usize,
        mut field: impl FnMut(&mut Walk<'a>, i16) -> Option<bool>,
    ) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let mut before = 0;
        while let (number, Some(of_type)) = self.head(before)? {
            before = number;
            let Some(&(_, known)) = shape.iter().find(|(known, _)| *known == number) else {
                self.skip(of_type, depth)?;
                continue;
            };
            let as_known = match known {
                Shape::Boolean => matches!(of_type, types::TRUE | types::FALSE),
                Shape::Plain(plain) => of_type == plain,
                Shape::Struct(_) => of_type == types::STRUCT,
            };
            if !as_known {
                return None;
            }
            match (known, field(self, number)?) {
                (_, true) => {}
                (Shape::Struct(shape), false) => self.step_over(shape, depth)?,
                (_, false) => self.skip(of_type, depth)?,
            }
        }
        Some(())
    }

    /// Walks through a structure of which nothing is wanted.
    fn step_over(&mut self, shape: &'static [(i16, Shape)], depth: usize) -> Option<()> {
        self.structure(shape, depth, |_, _| Some(false))
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
            types::UUID => self.step(16),
            types::BINARY => {
                let length = self.unsigned()?;
                self.step(length)
            }
            types::LIST | types::SET => {
                let (element, count) = self.list()?;
                self.elements(count, &[element], depth)
            }
            types::MAP => match self.unsigned()? {
                0 => Some(()),
                count => {
                    let kinds = self.byte()?;
                    self.elements(count, &[kinds >> 4, kinds & 15], depth)
                }
            },
            types::STRUCT => self.step_over(&[], depth),
            _ => None,
        }
    }

    /// Steps over the elements of a list, or the pairs of a map. How many bytes a boolean has there, writers do not agree on.
    fn elements(&mut self, count: u64, kinds: &[u8], depth: usize) -> Option<()> {
        if count > 0 && kinds.iter().any(|kind| matches!(*kind, types::TRUE | types::FALSE)) {
            return None;
        }
        (0..count).try_for_each(|_| kinds.iter().try_for_each(|&kind| self.skip(kind, depth)))
    }

    fn step(&mut self, count: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(count).ok()?).filter(|&at| at <= self.bytes.len())?;
        Some(())
    }
}

/// Refuses a footer whose schema is nested too deeply, names more children than it has, or is not as the specification says. What is
/// wrong with the rest, its decoder says.
pub(crate) fn check_schema(footer: &[u8]) -> Result<(), String> {
    let mut walk = Walk { bytes: footer, at: 0 };
    match elements(&mut walk).map(|elements| nesting(&mut walk, elements)) {
        Some(Some(told)) => told,
        _ => Err("its schema is damaged".to_owned()),
    }
}

/// The number of elements of the schema, which is field 2 of a footer: nothing but the version, field 1, may stand before it.
fn elements(walk: &mut Walk<'_>) -> Option<u64> {
    let mut field = walk.head(0)?;
    if field == (1, Some(types::I32)) {
        walk.signed()?;
        field = walk.head(1)?;
    }
    let (of_type, count) = Some(()).filter(|()| field == (2, Some(types::LIST))).and_then(|()| walk.list())?;
    (of_type == types::STRUCT).then_some(count)
}

/// Walks through the elements of a schema, each before those below it.
fn nesting(walk: &mut Walk<'_>, elements: u64) -> Option<Result<(), String>> {
    // How many children of each open group are to come.
    let mut open: Vec<u64> = Vec::new();
    for element in 0..elements {
        let mut children = 0;
        walk.structure(shapes::ELEMENT, STEPPED_OVER, |walk, number| {
            if number == 5 {
                children = walk.signed()?;
            }
            Some(number == 5)
        })?;
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(last) = open.last_mut() {
            *last -= 1;
        }
        match u64::try_from(children) {
            Ok(children) if children < elements - element => open.push(children),
            _ => {
                return Some(Err(format!("its schema names a group of {children} columns, and has {elements} in all")));
            }
        }
        if open.len() > DEEPEST {
            return Some(Err(format!("its schema is nested more than {DEEPEST} deep")));
        }
    }
    Some(Ok(()))
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
    walk.structure(shapes::PAGE, STEPPED_OVER, |walk, number| {
        match number {
            2 => head.bytes = walk.signed()?,
            3 => head.stored = walk.signed()?,
            7 => walk.structure(shapes::DICTIONARY, STEPPED_OVER, |walk, number| {
                if number == 1 {
                    head.dictionary_values = walk.signed()?;
                }
                Some(number == 1)
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
        assert_eq!(check_schema(b"no footer"), Err("its schema is damaged".to_owned()));
    }

    /// A schema of one column.
    const FLAT: [u8; 12] = [0x19, 0x2c, 0x48, 1, b'a', 0x15, 2, 0, 0x48, 1, b'a', 0];

    /// What the decoder steps over, or takes for something else, may hide a schema that is nested deeply.
    #[test]
    fn no_second_schema_hides_behind_the_first() {
        let deep = footer(&std::iter::repeat_n(1, 20_000).chain([0]).collect::<Vec<u8>>());
        assert_eq!(check_schema(&[&[0x15, 0x02][..], &FLAT, &[0]].concat()), Ok(()));
        let (schema, flat) = (&deep[2..], &FLAT[1..]);
        for hidden in [
            // Field 2 as a set, a map, a number; then as a list.
            [&[0x15, 0x02, 0x1a][..], flat, &[0x09, 4], &schema[1..]].concat(),
            [&[0x15, 0x02, 0x1b, 0][..], &[0x09, 4], &schema[1..]].concat(),
            [&[0x15, 0x02, 0x14, 0][..], &[0x09, 4], &schema[1..]].concat(),
            // Another field before it: a map, a number of 16 bits, a set.
            [&[0x15, 0x02, 0xab, 0][..], &[0x09, 4], &schema[1..]].concat(),
            [&[0x14, 0x02][..], schema].concat(),
            [&[0x1a, 0x03][..], schema].concat(),
            // The number 65538, which is 2 in 16 bits.
            [&[0x15, 0x02, 0x09, 0x84, 0x80, 0x08][..], flat, &[0x09, 4], &schema[1..]].concat(),
            // A name that says it is a number, and a logical type of another type.
            [0x19, 0x2c, 0x45, 1, b'a', 0x15, 2, 0, 0x48, 1, b'a', 0].to_vec(),
            [0x19, 0x2c, 0x48, 1, b'a', 0x15, 2, 0x5c, 0x5c, 0x1c, 0, 0, 0, 0, 0x48, 1, b'a', 0].to_vec(),
        ] {
            assert_eq!(check_schema(&hidden), Err("its schema is damaged".to_owned()), "{:?}", &hidden[..8]);
        }
    }

    #[test]
    fn heads_of_pages() {
        // Type 2 (a dictionary), 24 and 26 bytes, a dictionary of 3 values in encoding 0.
        let head = [0x15, 0x04, 0x15, 48, 0x15, 52, 0x4c, 0x15, 6, 0x15, 0, 0, 0, 0xff];
        let expected = PageHead { length: 13, stored: 26, bytes: 24, dictionary_values: 3 };
        assert_eq!(page_head(&head), Some(expected));
        assert_eq!(page_head(&head[..8]), None);
        // The sizes in 64 bits, the dictionary in a list; a map is stepped over.
        for (place, of_type) in [(2, 0x16), (4, 0x16), (6, 0x49), (7, 0x16)] {
            let mut damaged = head;
            damaged[place] = of_type;
            assert_eq!(page_head(&damaged), None, "byte {place}");
        }
        let mapped = [&head[..12], &[0xdb, 1, 0x55, 2, 2, 0]].concat();
        assert_eq!(page_head(&mapped), Some(PageHead { length: 18, ..expected }));
    }
}
