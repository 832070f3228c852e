//! The bytes in which passes travel and their states come back.
//!
//! ```text
//! "noisefit"   version: u32   role: u8   kind: u32 bytes, UTF-8   parameters: u64   rows: u64   contents: u64 bytes
//! checksum: u64   the contents
//! ```
//!
//! All numbers are little-endian. The parameters are a hash of the contents of the empty pass; the checksum is one of all
//! other bytes. The contents are MessagePack, in which doubles are the same to the bit.

use crate::Error;
use crate::rows::pass::Pass;

const MAGIC: &[u8; 8] = b"noisefit";

/// Of the layout above, and of what passes write.
const VERSION: u32 = 2;

/// What bytes are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A pass that is to be run.
    Pass = 0,
    /// A state that it came to.
    State = 1,
}

impl dyn Pass {
    /// This pass, which has seen no rows, as bytes from which [`Kinds::pass_from_bytes`](super::Kinds::pass_from_bytes)
    /// rebuilds it anywhere.
    ///
    /// # Errors
    /// [`Error::State`] for what cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let contents = contents(self)?;
        Ok(seal(Role::Pass, self, hash(&contents), contents))
    }

    /// A state that this pass, which has seen no rows itself, came to, as bytes.
    ///
    /// # Errors
    /// [`Error::State`] for what cannot be written.
    pub fn state_to_bytes(&self, state: &dyn Pass) -> Result<Vec<u8>, Error> {
        Ok(seal(Role::State, state, hash(&contents(self)?), contents(state)?))
    }

    /// The state of this pass, which has seen no rows itself, whose bytes these are.
    ///
    /// # Errors
    /// [`Error::State`] for bytes that are damaged, cut off or of another version; for those of a pass of another kind or
    /// with other parameters; and where the rows do not add up.
    pub fn state_from_bytes(&self, bytes: &[u8]) -> Result<Box<dyn Pass>, Error> {
        let message = open(bytes, Role::State)?;
        let kind = self.kind();
        if message.kind != kind {
            return Err(Error::State(format!("it is of the pass '{}', not '{kind}'", message.kind)));
        }
        if message.parameters != hash(&contents(self)?) {
            return Err(Error::State(format!("it belongs to a '{kind}' pass with other parameters")));
        }
        let mut contents = message.contents;
        let state = self.read(&mut contents)?;
        message.check(&*state, contents)?;
        Ok(state)
    }
}

fn contents(pass: &dyn Pass) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    pass.write(&mut bytes)?;
    Ok(bytes)
}

fn seal(role: Role, pass: &dyn Pass, parameters: u64, contents: Vec<u8>) -> Vec<u8> {
    let kind = pass.kind();
    let mut bytes = Vec::with_capacity(64 + kind.len() + contents.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.push(role as u8);
    bytes.extend_from_slice(&(kind.len() as u32).to_le_bytes());
    bytes.extend_from_slice(kind.as_bytes());
    for word in [parameters, pass.rows(), contents.len() as u64] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    let checksum = checksum(&bytes, &contents);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(&contents);
    bytes
}

/// What stands in bytes that are whole.
#[derive(Debug)]
pub(super) struct Message<'a> {
    kind: &'a str,
    parameters: u64,
    rows: u64,
    pub(super) contents: &'a [u8],
}

impl Message<'_> {
    /// Checks what was made of the contents, of which `rest` is left.
    pub(super) fn check(&self, pass: &dyn Pass, rest: &[u8]) -> Result<(), Error> {
        if !rest.is_empty() {
            return Err(Error::State(format!("{} bytes too many", rest.len())));
        }
        match pass.rows() {
            rows if rows == self.rows => Ok(()),
            rows => Err(Error::State(format!("its header says {} rows, its contents {rows}", self.rows))),
        }
    }
}

/// Takes a message apart.
///
/// # Errors
/// [`Error::State`] for bytes that are not a whole message of this version and role.
pub(super) fn open(bytes: &[u8], role: Role) -> Result<Message<'_>, Error> {
    let mut rest = bytes;
    if cut(&mut rest, MAGIC.len())? != MAGIC {
        return Err(Error::State("it does not begin as one".to_owned()));
    }
    let version = word32(&mut rest)?;
    if version != VERSION {
        return Err(Error::State(format!("version {version}, this program reads version {VERSION}")));
    }
    let found = cut(&mut rest, 1)?[0];
    let length = word32(&mut rest)? as usize;
    let kind = cut(&mut rest, length)?;
    let [parameters, rows, length] = [word64(&mut rest)?, word64(&mut rest)?, word64(&mut rest)?];
    let header = &bytes[..bytes.len() - rest.len()];
    let sum = word64(&mut rest)?;
    let contents = cut(&mut rest, usize::try_from(length).unwrap_or(usize::MAX))?;
    if !rest.is_empty() {
        return Err(Error::State(format!("{} bytes too many", rest.len())));
    }
    let (Ok(kind), true) = (std::str::from_utf8(kind), sum == checksum(header, contents)) else {
        return Err(Error::State("it is damaged".to_owned()));
    };
    match (role, found) {
        (Role::Pass, 0) | (Role::State, 1) => Ok(Message { kind, parameters, rows, contents }),
        (Role::Pass, _) => Err(Error::State(format!("it is a state of the pass '{kind}', not the pass"))),
        (Role::State, _) => Err(Error::State(format!("it is the pass '{kind}' itself, not a state of it"))),
    }
}

fn cut<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Error> {
    let (head, tail) = bytes.split_at_checked(count).ok_or_else(|| Error::State("it ends too early".to_owned()))?;
    *bytes = tail;
    Ok(head)
}

fn word32(bytes: &mut &[u8]) -> Result<u32, Error> {
    let mut word = [0; 4];
    word.copy_from_slice(cut(bytes, 4)?);
    Ok(u32::from_le_bytes(word))
}

fn word64(bytes: &mut &[u8]) -> Result<u64, Error> {
    let mut word = [0; 8];
    word.copy_from_slice(cut(bytes, 8)?);
    Ok(u64::from_le_bytes(word))
}

/// FNV-1a: a change of one byte always changes it.
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn hash(bytes: &[u8]) -> u64 {
    fnv(0xcbf2_9ce4_8422_2325, bytes)
}

fn checksum(header: &[u8], contents: &[u8]) -> u64 {
    fnv(hash(header), contents)
}

/// A hash of numbers (FNV-1a over their bits): equal numbers, equal hash, on every machine.
pub fn hash_parameters(values: impl IntoIterator<Item = f64>) -> u64 {
    values.into_iter().fold(hash(&[]), |hash, value| fnv(hash, &value.to_bits().to_le_bytes()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rows::codec::{put, take};
    use crate::rows::{Layout, Sample};

    #[test]
    fn rows_that_do_not_add_up_are_refused() {
        let empty: &dyn Pass = &Sample::new(&Layout::default(), 1, None);
        let bytes = empty.state_to_bytes(empty).unwrap();
        // The header's rows, and the checksum that goes with them.
        let rows = 8 + 4 + 1 + 4 + empty.kind().len() + 8;
        let mut header = bytes[..rows + 16].to_vec();
        header[rows] = 3;
        let contents = &bytes[rows + 24..];
        let forged = [&header[..], &checksum(&header, contents).to_le_bytes(), contents].concat();
        match empty.state_from_bytes(&forged) {
            Err(Error::State(why)) => assert_eq!(why, "its header says 3 rows, its contents 0"),
            _ => unreachable!("three rows are none"),
        }
        assert!(empty.state_from_bytes(&bytes).is_ok());
    }

    #[test]
    fn doubles_travel_to_the_bit() {
        let numbers = [0.1, -0.0, 5e-324, f64::INFINITY, f64::from_bits(0x7ff8_0000_dead_beef)];
        let mut bytes = Vec::new();
        put(&numbers, &mut bytes).unwrap();
        let found: [f64; 5] = take(&mut &bytes[..]).unwrap();
        assert_eq!(found.map(f64::to_bits), numbers.map(f64::to_bits));
    }
}
