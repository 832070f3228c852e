//! All that it takes to go on with an ensemble whose training was stopped.

use crate::Error;
use crate::network::Snapshot;
use crate::network::tensors::Tensors;

/// The kind of file, which names what it holds.
const KIND: &str = "noisefit.checkpoint/1";

/// The vectors of a snapshot, by name.
const VECTORS: [&str; 4] = ["parameters", "best", "first-moment", "second-moment"];

/// Where each member of an ensemble stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What was being trained, on what: training goes on with the same alone.
    pub(crate) about: serde_json::Value,
    /// At which step, perhaps the last; none where the first snapshot is still to come.
    pub(crate) members: Vec<Option<Snapshot>>,
}

impl Checkpoint {
    pub(crate) fn new(about: serde_json::Value, members: usize) -> Self {
        Checkpoint { about, members: vec![None; members] }
    }

    /// The bytes of a safetensors file.
    ///
    /// # Errors
    /// [`Error::State`], which nothing that was trained causes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut tensors = Tensors::default();
        let text =
            |value: &dyn Fn() -> serde_json::Result<String>| value().map_err(|error| Error::State(error.to_string()));
        tensors.push_text("kind", KIND.to_owned());
        tensors.push_text("about", self.about.to_string());
        tensors.push_text("members", text(&|| serde_json::to_string(&self.members))?);
        for (k, member) in self.members.iter().enumerate() {
            let vectors = member.iter().flat_map(|snapshot| &snapshot.vectors);
            for (name, values) in VECTORS.iter().zip(vectors) {
                tensors.push(format!("members.{k}.{name}"), vec![values.len()], values.clone());
            }
        }
        tensors.to_bytes()
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// [`Error::State`] for one that is damaged or is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let tensors = Tensors::from_bytes(bytes)?;
        if tensors.text("kind") != Some(KIND) {
            return Err(Error::State(format!("it is not of kind {KIND}")));
        }
        let text = |name: &str| tensors.text(name).ok_or_else(|| Error::State(format!("{name} is not there")));
        let damaged = |error: serde_json::Error| Error::State(error.to_string());
        let about = serde_json::from_str(text("about")?).map_err(damaged)?;
        let mut members: Vec<Option<Snapshot>> = serde_json::from_str(text("members")?).map_err(damaged)?;
        for (k, member) in members.iter_mut().enumerate() {
            let vector = |name: &str| Ok::<_, Error>(tensors.row(&format!("members.{k}.{name}"))?.to_vec());
            if let Some(snapshot) = member {
                for (name, values) in VECTORS.iter().zip(&mut snapshot.vectors) {
                    *values = vector(name)?;
                }
            }
        }
        Ok(Checkpoint { about, members })
    }

    /// Refuses a checkpoint of another training, and says what differs.
    pub(crate) fn check(&self, about: &serde_json::Value, members: usize) -> Result<(), Error> {
        let mut different = Vec::new();
        differences("", &self.about, about, &mut different);
        if different.is_empty() && self.members.len() == members {
            return Ok(());
        }
        Err(Error::State(format!(
            "it is of another training, with {}; give the options and the data that it was begun with",
            different.join(", ")
        )))
    }

    /// Steps of all members so far.
    pub fn steps(&self) -> u64 {
        self.members.iter().flatten().map(|snapshot| snapshot.state.steps()).sum()
    }
}

/// What differs between two values, by the names of its fields.
fn differences(name: &str, found: &serde_json::Value, wanted: &serde_json::Value, different: &mut Vec<String>) {
    match (found, wanted) {
        (serde_json::Value::Object(found), serde_json::Value::Object(wanted)) => {
            for (key, value) in wanted {
                let own = found.get(key).unwrap_or(&serde_json::Value::Null);
                differences(key, own, value, different);
            }
        }
        _ if found == wanted => {}
        _ => different.push(format!("{name} {found} instead of {wanted}")),
    }
}
