//! A stream of text cut into pieces at the ends of records.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

/// A record longer than this is taken for a quote that was never closed; without a limit the rest of the file would
/// have to be held in memory to see.
const LONGEST_RECORD: usize = 64 << 20;

/// Whole records.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The text, with the line end of its last record unless the file ends without one.
    pub bytes: Vec<u8>,
    /// The line in the file of its first byte, from 1.
    pub first_line: u64,
    /// Whether there is a double quote in it that may open or close a quoted field.
    pub quoted: bool,
}

/// Why a stream could not be cut.
#[derive(Debug)]
pub(crate) enum CutError {
    /// The stream failed.
    Read(io::Error),
    /// A quoted field opened in this line does not end.
    OpenQuote { line: u64 },
    /// The record that begins in this line does not end.
    LongRecord { line: u64 },
}

/// Cuts a stream into [`Piece`]s of at most `size` bytes, or of twice, four times, ... as many where no record ends before.
/// Where the cuts
/// fall depends on nothing but the text and `size`.
#[derive(Debug)]
pub(crate) struct Pieces<R> {
    stream: R,
    size: usize,
    /// The delimiter, if fields may be quoted.
    quotes: Option<u8>,
    /// Read, but not yet part of a piece.
    rest: Vec<u8>,
    line: u64,
    ended: bool,
}

impl<R: Read> Pieces<R> {
    /// Pieces of a stream whose records end with lines: with line ends outside quoted fields if `quotes` is the delimiter
    /// between fields, with all line ends if it is `None`.
    pub fn new(stream: R, size: usize, quotes: Option<u8>) -> Self {
        Pieces { stream, size: size.max(1), quotes, rest: Vec::new(), line: 1, ended: false }
    }

    /// Leaves out the next `count` bytes of the stream, which must be whole lines.
    pub fn skip(&mut self, count: usize) -> Result<(), CutError> {
        let mut skipped = vec![0; count];
        self.stream.read_exact(&mut skipped).map_err(CutError::Read)?;
        self.line += lines(&skipped);
        Ok(())
    }

    /// The next piece, `None` at the end.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, CutError> {
        let mut size = self.size;
        loop {
            self.fill(size)?;
            if self.rest.is_empty() {
                return Ok(None);
            }
            let cut = self.cut();
            let end = match (cut.end, cut.open_quote) {
                (_, Some(open)) if self.ended => {
                    return Err(CutError::OpenQuote { line: self.line + lines(&self.rest[..open]) });
                }
                (_, None) if self.ended => self.rest.len(),
                (0, open) if self.rest.len() >= LONGEST_RECORD.max(self.size) => {
                    return Err(match open {
                        Some(open) => CutError::OpenQuote { line: self.line + lines(&self.rest[..open]) },
                        None => CutError::LongRecord { line: self.line },
                    });
                }
                (0, _) => {
                    size = size.saturating_mul(2);
                    continue;
                }
                (end, _) => end,
            };
            return Ok(Some(self.take(end, cut.quoted)));
        }
    }

    /// Reads until `size` bytes are at hand or the stream ends.
    fn fill(&mut self, size: usize) -> Result<(), CutError> {
        let missing = size.saturating_sub(self.rest.len());
        if missing > 0 && !self.ended {
            self.rest.reserve_exact(missing);
            let count = (&mut self.stream).take(missing as u64).read_to_end(&mut self.rest).map_err(CutError::Read)?;
            self.ended = count < missing;
        }
        Ok(())
    }

    /// Hands out the first `end` bytes.
    fn take(&mut self, end: usize, quoted: bool) -> Piece {
        let rest = self.rest[end..].to_vec();
        let mut bytes = std::mem::replace(&mut self.rest, rest);
        bytes.truncate(end);
        let first_line = self.line;
        self.line += lines(&bytes);
        Piece { bytes, first_line, quoted }
    }

    fn cut(&self) -> Cut {
        match self.quotes {
            Some(delimiter) => cut_outside_quotes(&self.rest, delimiter, self.ended),
            None => Cut { end: last_line_end(&self.rest).unwrap_or(0), quoted: false, open_quote: None },
        }
    }
}

/// How far a text consists of whole records.
struct Cut {
    /// Where the last of them ends; 0 if there is none.
    end: usize,
    /// Whether there is any quote.
    quoted: bool,
    /// Where the quoted field begins that does not end.
    open_quote: Option<usize>,
}

fn last_line_end(text: &[u8]) -> Option<usize> {
    memrchr(b'\n', text).map(|position| position + 1)
}

/// The cut of a text with quoted fields.
///
/// A quote opens a field only at the field's beginning (blanks before it allowed); elsewhere in an unquoted field it is
/// a character like others. This is what [`Fields`](super::fields::Fields) does too, which is why the two agree on where
/// records end.
fn cut_outside_quotes(text: &[u8], delimiter: u8, ended: bool) -> Cut {
    let mut cut = Cut { end: 0, quoted: false, open_quote: None };
    let (mut outside, mut position) = (0, 0);
    while let Some(quote) = memchr(b'"', &text[position..]).map(|offset| position + offset) {
        cut.quoted = true;
        position = quote + 1;
        if !opens(&text[..quote], delimiter) {
            continue;
        }
        cut.end = last_line_end(&text[outside..quote]).map_or(cut.end, |end| outside + end);
        match closing_quote(text, position) {
            // The text may go on with a second quote, which would make it a quote in the field.
            Some(close) if ended || close + 1 < text.len() => position = close + 1,
            _ => return Cut { open_quote: Some(quote), ..cut },
        }
        outside = position;
    }
    cut.end = last_line_end(&text[outside..]).map_or(cut.end, |end| outside + end);
    cut
}

/// Whether a quote after `before` is at the beginning of a field.
fn opens(before: &[u8], delimiter: u8) -> bool {
    match before.iter().rposition(|&byte| byte != b' ' || delimiter == b' ') {
        Some(last) => before[last] == delimiter || before[last] == b'\n',
        None => true,
    }
}

/// The position of the quote that ends the quoted field whose content begins at `start`; doubled quotes do not.
pub(crate) fn closing_quote(text: &[u8], start: usize) -> Option<usize> {
    let mut position = start;
    loop {
        let quote = position + memchr(b'"', text.get(position..)?)?;
        if text.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        position = quote + 2;
    }
}

/// The number of line ends.
pub(crate) fn lines(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, size: usize, quotes: Option<u8>) -> Result<Vec<(String, u64)>, CutError> {
        let mut pieces = Pieces::new(text.as_bytes(), size, quotes);
        let mut all = Vec::new();
        while let Some(piece) = pieces.next_piece()? {
            all.push((String::from_utf8(piece.bytes).unwrap(), piece.first_line));
        }
        Ok(all)
    }

    fn owned(pieces: &[(&str, u64)]) -> Vec<(String, u64)> {
        pieces.iter().map(|(text, line)| ((*text).to_owned(), *line)).collect()
    }

    #[test]
    fn cuts_fall_on_record_ends() {
        assert_eq!(cut("a\nbb\nccc\nd", 6, None).unwrap(), owned(&[("a\nbb\n", 1), ("ccc\nd", 3)]));
        assert_eq!(
            cut("a\nlonger than the size\nb\n", 4, None).unwrap(),
            owned(&[("a\n", 1), ("longer than the size\nb\n", 2)])
        );
        assert_eq!(cut("", 4, None).unwrap(), []);
    }

    #[test]
    fn line_ends_in_quotes_are_not_record_ends() {
        let text = "1,\"a\nb\"\n2,\"c \"\"\n\"\"\"\n3, \"\n\"\n4,5\"\n6,7\"\n";
        for size in 1..text.len() + 2 {
            let pieces = cut(text, size, Some(b',')).unwrap();
            assert!(pieces.len() >= 4 || size > 8, "{pieces:?}");
            assert_eq!(pieces.iter().map(|(piece, _)| piece.as_str()).collect::<String>(), text);
            for (piece, line) in pieces {
                assert!(piece.starts_with(|first: char| first.is_ascii_digit()) && piece.ends_with('\n'), "{piece:?}");
                let before = &text[..text.find(&piece).unwrap()];
                assert_eq!(line, 1 + before.matches('\n').count() as u64);
            }
        }
    }

    #[test]
    fn a_quote_that_never_closes_is_named_by_its_line() {
        assert!(matches!(cut("a,b\n1,2\n3,\"4\n5,6\n", 4, Some(b',')), Err(CutError::OpenQuote { line: 3 })));
    }
}
