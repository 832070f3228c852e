//! Work units of a data set's rows, folded where a pipe leads: what a row source asks of another process, and what that
//! process answers.
//!
//! ```text
//! request   unit: u64   length: u64   the bytes of the pass
//! answer    refused: u8   length: u64   the bytes of its state, or in words why there is none
//! ```
//!
//! All numbers are little-endian. Passes and states are checked by their envelopes ([`Pass`]), so that a worker of another
//! version, or one that knows other passes, refuses by name.

use std::io::{self, Read, Write};

use noisefit_core::Error;
use noisefit_core::rows::{Kinds, Pass};

use crate::source::DesignRows;

/// Answers requests for units of `rows` until there are no more.
///
/// # Errors
/// What the pipes report; what is wrong with a request or with the rows is an answer.
pub fn serve(rows: &DesignRows<'_>, kinds: &Kinds, mut requests: impl Read, mut answers: impl Write) -> io::Result<()> {
    while let Some(unit) = read_word(&mut requests)? {
        let bytes = read_bytes(&mut requests)?;
        let state = usize::try_from(unit).map_err(|_| Error::NoRows).and_then(|unit| fold(rows, kinds, unit, &bytes));
        let (refused, answer) = match state {
            Ok(state) => (0, state),
            Err(error) => (1, error.to_string().into_bytes()),
        };
        answers.write_all(&[refused])?;
        write_bytes(&mut answers, &answer)?;
        answers.flush()?;
    }
    Ok(())
}

fn fold(rows: &DesignRows<'_>, kinds: &Kinds, unit: usize, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let pass = kinds.pass_from_bytes(bytes)?;
    pass.state_to_bytes(&*rows.unit(unit, &*pass)?)
}

/// The end of the pipes that asks.
#[derive(Debug)]
pub struct Worker<W, R> {
    requests: W,
    answers: R,
}

impl<W: Write, R: Read> Worker<W, R> {
    /// A worker that reads `requests` and writes `answers`.
    pub fn new(requests: W, answers: R) -> Self {
        Worker { requests, answers }
    }

    /// The state that a pass, which has seen no rows itself, comes to on a unit.
    ///
    /// # Errors
    /// [`Error::Source`] where a pipe fails or the worker refuses; [`Error::State`] for an answer that is no state of the
    /// pass.
    pub fn fold(&mut self, empty: &dyn Pass, unit: usize) -> Result<Box<dyn Pass>, Error> {
        let answer = self.ask(&empty.to_bytes()?, unit).map_err(|error| Error::Source(error.into()))?;
        empty.state_from_bytes(&answer.map_err(|why| Error::Source(why.into()))?)
    }

    /// The bytes of the state, or why there is none.
    ///
    /// # Errors
    /// What the pipes report.
    pub fn ask(&mut self, pass: &[u8], unit: usize) -> io::Result<Result<Vec<u8>, String>> {
        self.requests.write_all(&(unit as u64).to_le_bytes())?;
        write_bytes(&mut self.requests, pass)?;
        self.requests.flush()?;
        let mut refused = [0];
        self.answers.read_exact(&mut refused)?;
        let bytes = read_bytes(&mut self.answers)?;
        Ok(if refused == [0] { Ok(bytes) } else { Err(String::from_utf8_lossy(&bytes).into_owned()) })
    }
}

/// The next number; none where the stream ends before it.
fn read_word(stream: &mut impl Read) -> io::Result<Option<u64>> {
    let (mut word, mut filled) = ([0; 8], 0);
    while filled < word.len() {
        match stream.read(&mut word[filled..])? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => filled += more,
        }
    }
    Ok(Some(u64::from_le_bytes(word)))
}

fn read_bytes(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let length = read_word(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut bytes = Vec::new();
    match stream.take(length).read_to_end(&mut bytes)? as u64 == length {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn write_bytes(stream: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(&(bytes.len() as u64).to_le_bytes())?;
    stream.write_all(bytes)
}
