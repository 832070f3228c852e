//! The fields of delimited text.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::pieces::closing_quote;

/// What follows a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The next field of the record.
    Field,
    /// The next record, or nothing.
    Record,
}

/// There is text between the quote that closes a field and the delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextAfterQuote;

/// Walks through delimited text, field by field. A field in double quotes may contain delimiters, line ends and, doubled,
/// double quotes; blanks around a field are not part of it, unless they are within its quotes (or the delimiter is a
/// blank).
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    text: &'a [u8],
    delimiter: u8,
    /// Whether there may be quoted fields.
    quoted: bool,
    position: usize,
    /// Whether the last field stood in quotes.
    in_quotes: bool,
}

impl<'a> Fields<'a> {
    pub fn new(text: &'a [u8], delimiter: u8, quoted: bool) -> Self {
        Fields { text, delimiter, quoted, position: 0, in_quotes: false }
    }

    /// Whether the last field that [`next_field`](Fields::next_field) gave stood in quotes.
    pub fn was_quoted(&self) -> bool {
        self.in_quotes
    }

    /// Bytes walked through so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether all the text is walked through.
    pub fn at_end(&self) -> bool {
        self.position == self.text.len()
    }

    /// Steps over blank lines; whether there is a record after them.
    pub fn next_record(&mut self) -> bool {
        loop {
            match self.text.get(self.position) {
                None => return false,
                Some(b'\n') => self.position += 1,
                Some(b'\r' | b' ' | b'\t') => {
                    let rest = &self.text[self.position..];
                    let line = &rest[..memchr(b'\n', rest).unwrap_or(rest.len())];
                    // A line of nothing but delimiters is a record of missing values.
                    if line.iter().any(|&byte| byte == self.delimiter || !byte.is_ascii_whitespace()) {
                        return true;
                    }
                    self.position += line.len();
                }
                Some(_) => return true,
            }
        }
    }

    /// The next field without the quotes around it, and what follows it.
    #[inline]
    pub fn next_field(&mut self) -> Result<(Cow<'a, [u8]>, End), TextAfterQuote> {
        if self.quoted
            && let Some(content) = self.opening_quote()
        {
            self.in_quotes = true;
            return self.quoted_field(content);
        }
        self.in_quotes = false;
        let (text, end) = self.plain_field();
        Ok((Cow::Borrowed(trim(text)), end))
    }

    /// Steps over a field; what follows it.
    #[inline]
    pub fn skip_field(&mut self) -> Result<End, TextAfterQuote> {
        match self.quoted {
            true => self.next_field().map(|(_, end)| end),
            false => Ok(self.plain_field().1),
        }
    }

    /// The next field if it is a bare number, its text, and what follows it; `None`, and nothing done, if it is anything
    /// else.
    #[inline]
    pub fn next_number(&mut self) -> Option<(f64, &'a [u8], End)> {
        let rest = self.text.get(self.position..)?;
        let (number, length) = super::number::parse_prefix(rest)?;
        let (step, end) = match rest.get(length) {
            Some(&byte) if byte == self.delimiter => (1, End::Field),
            Some(b'\n') => (1, End::Record),
            Some(b'\r') if rest.get(length + 1) == Some(&b'\n') => (2, End::Record),
            _ => return None,
        };
        self.position += length + step;
        Some((number, &rest[..length], end))
    }

    /// The rest of the record: how many fields it has.
    pub fn skip_record(&mut self) -> Result<usize, TextAfterQuote> {
        let mut count = 1;
        while self.skip_field()? == End::Field {
            count += 1;
        }
        Ok(count)
    }

    #[inline]
    fn plain_field(&mut self) -> (&'a [u8], End) {
        let rest = &self.text[self.position..];
        match memchr2(self.delimiter, b'\n', rest) {
            Some(length) if rest[length] == self.delimiter => {
                self.position += length + 1;
                (&rest[..length], End::Field)
            }
            Some(length) => {
                self.position += length + 1;
                (without_return(&rest[..length]), End::Record)
            }
            None => {
                self.position = self.text.len();
                (without_return(rest), End::Record)
            }
        }
    }

    /// Where the content of the next field begins, if it is quoted.
    fn opening_quote(&self) -> Option<usize> {
        let rest = &self.text[self.position..];
        let blanks = rest.iter().take_while(|&&byte| byte == b' ' && self.delimiter != b' ').count();
        (rest.get(blanks) == Some(&b'"')).then_some(self.position + blanks + 1)
    }

    fn quoted_field(&mut self, start: usize) -> Result<(Cow<'a, [u8]>, End), TextAfterQuote> {
        // A quote that does not close has been refused when the text was cut.
        let close = closing_quote(self.text, start).unwrap_or(self.text.len());
        let content = &self.text[start..close];
        self.position = (close + 1).min(self.text.len());
        let (after, end) = self.plain_field();
        if !trim(after).is_empty() {
            return Err(TextAfterQuote);
        }
        match memchr(b'"', content) {
            None => Ok((Cow::Borrowed(content), end)),
            Some(_) => Ok((Cow::Owned(undouble(content)), end)),
        }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Without the blanks around it. No field ends in a blank that is a delimiter.
#[inline]
fn trim(text: &[u8]) -> &[u8] {
    match text {
        [first, .., last] if !first.is_ascii_whitespace() && !last.is_ascii_whitespace() => text,
        _ => text.trim_ascii(),
    }
}

/// Every pair of quotes made one.
fn undouble(content: &[u8]) -> Vec<u8> {
    let mut single = Vec::with_capacity(content.len());
    let mut bytes = content.iter();
    while let Some(&byte) = bytes.next() {
        single.push(byte);
        if byte == b'"' {
            bytes.next();
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str, delimiter: u8) -> Vec<Vec<String>> {
        let mut fields = Fields::new(text.as_bytes(), delimiter, true);
        let mut records = Vec::new();
        while fields.next_record() {
            let mut record = Vec::new();
            loop {
                let (field, end) = fields.next_field().unwrap();
                record.push(String::from_utf8(field.into_owned()).unwrap());
                if end == End::Record {
                    break;
                }
            }
            records.push(record);
        }
        records
    }

    #[test]
    fn fields_quoted_or_not() {
        assert_eq!(records("a, b ,c\r\n", b','), [["a", "b", "c"]]);
        assert_eq!(records("\"a,\n\"\"b\"\"\", \" c \" ,d", b','), [["a,\n\"b\"", " c ", "d"]]);
        assert_eq!(records("5\" pipe,say \"hi\"\n", b','), [["5\" pipe", "say \"hi\""]]);
        assert_eq!(records("\"\",,\n", b','), [["", "", ""]]);
        assert_eq!(records("a\t\t b\n\t\t\n", b'\t'), [["a", "", "b"], ["", "", ""]]);
        assert_eq!(records("a b  c\n", b' '), [["a", "b", "", "c"]]);
    }

    #[test]
    fn blank_lines_are_no_records() {
        assert_eq!(records("\n\r\n  \na,b\n\n \t\nc,d\n\n", b','), [["a", "b"], ["c", "d"]]);
        assert!(records("\n \n", b',').is_empty());
    }

    #[test]
    fn text_after_a_quote_is_refused() {
        assert_eq!(Fields::new(b"\"a\"b,c\n", b',', true).next_field(), Err(TextAfterQuote));
    }

    #[test]
    fn numbers_are_taken_only_whole() {
        let mut fields = Fields::new(b"1.5,2\r\n3 ,4", b',', false);
        assert_eq!(fields.next_number(), Some((1.5, &b"1.5"[..], End::Field)));
        assert_eq!(fields.next_number(), Some((2.0, &b"2"[..], End::Record)));
        assert_eq!(fields.next_number(), None, "a blank follows");
        assert_eq!(fields.next_field().unwrap().0, &b"3"[..]);
        assert_eq!(fields.next_number(), None, "the end of the text is left to next_field");
    }
}
