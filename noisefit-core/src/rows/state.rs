//! Saved states: a header, then the numbers as little-endian words.

use crate::Error;
use crate::numeric::double_double::DoubleDouble;

const MAGIC: &[u8; 8] = b"noisefit";
const VERSION: u32 = 1;

/// Writes the state of a pass as bytes.
#[derive(Debug)]
pub struct StateWriter {
    bytes: Vec<u8>,
}

impl StateWriter {
    /// Begins a state of a kind of pass, with the rows seen and the hash of the pass's parameters.
    pub fn new(kind: &str, rows: u64, parameters: u64) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(kind.len() as u32).to_le_bytes());
        bytes.extend_from_slice(kind.as_bytes());
        bytes.extend_from_slice(&rows.to_le_bytes());
        bytes.extend_from_slice(&parameters.to_le_bytes());
        StateWriter { bytes }
    }

    /// Appends an integer.
    pub fn integer(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Appends numbers; their count is not written.
    pub fn numbers(&mut self, values: &[f64]) {
        self.bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }

    /// Appends numbers of two words.
    pub fn double_doubles<'a>(&mut self, values: impl IntoIterator<Item = &'a DoubleDouble>) {
        values.into_iter().for_each(|value| self.numbers(&[value.high, value.low]));
    }

    /// The finished bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what a [`StateWriter`] wrote, refusing anything else.
#[derive(Debug)]
pub struct StateReader<'a> {
    bytes: &'a [u8],
    rows: u64,
}

impl<'a> StateReader<'a> {
    /// Checks the header against the kind and parameters of the pass that wants the state.
    pub fn new(bytes: &'a [u8], kind: &str, parameters: u64) -> Result<Self, Error> {
        let mut reader = StateReader { bytes, rows: 0 };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(Error::State("it does not begin as one".into()));
        }
        let version = reader.word32()?;
        if version != VERSION {
            return Err(Error::State(format!("version {version}, this program reads version {VERSION}")));
        }
        let length = reader.word32()? as usize;
        let found = reader.take(length)?;
        if found != kind.as_bytes() {
            let found = String::from_utf8_lossy(found);
            return Err(Error::State(format!("it is of the pass '{found}', not '{kind}'")));
        }
        reader.rows = reader.integer()?;
        if reader.integer()? != parameters {
            return Err(Error::State(format!("it belongs to a '{kind}' pass with other parameters")));
        }
        Ok(reader)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (head, tail) =
            self.bytes.split_at_checked(count).ok_or_else(|| Error::State("it ends too early".into()))?;
        self.bytes = tail;
        Ok(head)
    }

    fn word32(&mut self) -> Result<u32, Error> {
        let mut word = [0; 4];
        word.copy_from_slice(self.take(4)?);
        Ok(u32::from_le_bytes(word))
    }

    /// Rows that the saved state has seen.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The next integer.
    pub fn integer(&mut self) -> Result<u64, Error> {
        let mut word = [0; 8];
        word.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(word))
    }

    /// Fills `values` with the next numbers.
    pub fn numbers(&mut self, values: &mut [f64]) -> Result<(), Error> {
        for value in values {
            *value = f64::from_bits(self.integer()?);
        }
        Ok(())
    }

    /// Fills `values` with the next numbers of two words.
    pub fn double_doubles<'v>(&mut self, values: impl IntoIterator<Item = &'v mut DoubleDouble>) -> Result<(), Error> {
        for value in values {
            let mut words = [0.0; 2];
            self.numbers(&mut words)?;
            *value = DoubleDouble { high: words[0], low: words[1] };
        }
        Ok(())
    }

    /// Checks that everything was read and that the rows are those of the header.
    pub fn finish(self, rows: u64) -> Result<(), Error> {
        if !self.bytes.is_empty() {
            return Err(Error::State(format!("{} bytes too many", self.bytes.len())));
        }
        if rows != self.rows {
            return Err(Error::State(format!("its header says {} rows, its contents {rows}", self.rows)));
        }
        Ok(())
    }
}

/// A hash of the parameters of a pass (FNV-1a over their bits): equal parameters, equal hash, on every machine.
pub fn hash_parameters(values: impl IntoIterator<Item = f64>) -> u64 {
    let bytes = values.into_iter().flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
