//! Which passes can be rebuilt from their bytes.

use std::any::TypeId;
use std::collections::BTreeMap;

use crate::Error;
use crate::rows::accumulator::Accumulator;
use crate::rows::codec::take;
use crate::rows::envelope::{Role, open};
use crate::rows::pass::Pass;

/// Adaptors around one another and passes of passes nest this deep at most.
const DEEPEST: usize = 32;

/// The kinds of passes that a process can rebuild from bytes.
///
/// Each crate lists its own ([`crate::kinds`]); whoever has further ones adds them.
///
/// ```
/// use noisefit_core::algebra::Moments;
/// use noisefit_core::rows::Pass;
///
/// let pass: &dyn Pass = &Moments::new(3, true);
/// let rebuilt = noisefit_core::kinds().pass_from_bytes(&pass.to_bytes()?)?;
/// assert_eq!((rebuilt.kind(), rebuilt.rows()), ("moments".to_owned(), 0));
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Kinds {
    /// By its name what each is, and what makes it of bytes: nothing where several have the name.
    pub(super) decoders: BTreeMap<String, (TypeId, Option<Decoder>)>,
}

/// Makes a pass of what follows its name.
pub(super) type Decoder = fn(&mut Reader<'_, '_>) -> Result<Box<dyn Pass>, Error>;

/// Bytes of passes, and what rebuilds them.
pub(super) struct Reader<'r, 'b> {
    kinds: &'r Kinds,
    pub(super) bytes: &'r mut &'b [u8],
    depth: usize,
}

impl Kinds {
    /// None.
    pub(super) fn none() -> Self {
        Kinds { decoders: BTreeMap::new() }
    }

    /// These and another.
    #[must_use]
    pub fn with<A: Accumulator>(self) -> Self {
        self.listed(A::kind(), TypeId::of::<A>(), Some(|reader| Ok(Box::new(take::<A>(reader.bytes)?))))
    }

    /// These and those of another list.
    #[must_use]
    pub fn and(self, others: Kinds) -> Self {
        others.decoders.into_iter().fold(self, |kinds, (name, (id, decode))| kinds.listed(name, id, decode))
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.decoders.keys().map(String::as_str)
    }

    /// Nothing is rebuilt as what only has the same name.
    pub(super) fn listed(mut self, name: String, id: TypeId, decode: Option<Decoder>) -> Self {
        let twice = self.decoders.get(&name).is_some_and(|(other, _)| *other != id);
        self.decoders.insert(name, (id, decode.filter(|_| !twice)));
        self
    }

    /// The pass whose [`to_bytes`](trait.Pass.html) these are, ready to be run.
    ///
    /// # Errors
    /// [`Error::State`] for bytes that are damaged, cut off or of another version, for those of a state, and for a kind
    /// that is not in the list.
    pub fn pass_from_bytes(&self, bytes: &[u8]) -> Result<Box<dyn Pass>, Error> {
        let message = open(bytes, Role::Pass)?;
        let mut contents = message.contents;
        let pass = Reader { kinds: self, bytes: &mut contents, depth: 0 }.pass()?;
        message.check(&*pass, contents)?;
        match pass.rows() {
            0 => Ok(pass),
            rows => Err(Error::State(format!("it is to be run, and has seen {rows} rows already"))),
        }
    }
}

impl Reader<'_, '_> {
    /// The next pass.
    pub(super) fn pass(&mut self) -> Result<Box<dyn Pass>, Error> {
        let name: String = take(self.bytes)?;
        let Some((_, decode)) = self.kinds.decoders.get(&name) else {
            return Err(Error::State(format!("no pass of the kind '{name}' is known here")));
        };
        let Some(decode) = decode else {
            return Err(Error::State(format!("several kinds of passes are called '{name}'")));
        };
        if self.depth >= DEEPEST {
            return Err(Error::State(format!("more than {DEEPEST} passes within one another")));
        }
        decode(&mut Reader { kinds: self.kinds, bytes: self.bytes, depth: self.depth + 1 })
    }
}
