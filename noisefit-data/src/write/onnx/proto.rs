//! The messages of the ONNX format that a model needs, with the field numbers of its `onnx.proto`.
//!
//! What is absent here an exported model does not use; a reader skips it.

use prost::{Enumeration, Message, Oneof};

/// A file: a graph, and what it needs to be run.
#[derive(Clone, PartialEq, Message)]
pub struct Model {
    /// The version of the format itself.
    #[prost(int64, optional, tag = "1")]
    pub ir_version: Option<i64>,
    /// The program that wrote it.
    #[prost(string, optional, tag = "2")]
    pub producer_name: Option<String>,
    /// The version of that program.
    #[prost(string, optional, tag = "3")]
    pub producer_version: Option<String>,
    /// What is computed.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    /// The versions of the sets of operators that the nodes come from.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
    /// Texts by their names.
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<Property>,
}

/// A set of operators; the standard one has no name.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct OperatorSet {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    /// Its version.
    #[prost(int64, optional, tag = "2")]
    pub version: Option<i64>,
}

/// A text by its name.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Property {
    /// The name.
    #[prost(string, optional, tag = "1")]
    pub key: Option<String>,
    /// The text.
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

/// Nodes in an order in which each finds its inputs computed.
#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    /// The nodes.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    /// Its name.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    /// Constants by their names.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    /// What is given.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    /// What is asked for.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

/// An operator applied to values that are named elsewhere.
#[derive(Clone, PartialEq, Message)]
pub struct Node {
    /// The names of what it reads.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// The names of what it writes.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Its own name.
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    /// The operator.
    #[prost(string, optional, tag = "4")]
    pub op_type: Option<String>,
    /// What the operator is told.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

/// An integer that an operator is told.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Attribute {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// The integer.
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    /// Which kind of value it has: [`Attribute::INTEGER`].
    #[prost(int32, optional, tag = "20")]
    pub r#type: Option<i32>,
}

impl Attribute {
    /// The kind of a value that is an integer.
    pub const INTEGER: i32 = 2;
}

/// Numbers with their shape.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Tensor {
    /// The shape; of a single number empty.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// The type of the numbers.
    #[prost(enumeration = "DataType", optional, tag = "2")]
    pub data_type: Option<i32>,
    /// Its name.
    #[prost(string, optional, tag = "8")]
    pub name: Option<String>,
    /// The numbers by rows, least significant bytes first.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub raw_data: Option<Vec<u8>>,
}

/// The type of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum DataType {
    /// None that was said.
    Undefined = 0,
    /// Floating point of 32 bits.
    Float = 1,
    /// Integers of 64 bits.
    Int64 = 7,
    /// Floating point of 64 bits.
    Double = 11,
}

/// What is given, or asked for.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct ValueInfo {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// What it is.
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<Type>,
}

impl ValueInfo {
    /// Its lengths; none where it has no shape.
    pub fn shape(&self) -> Vec<Length> {
        let shape = self.r#type.as_ref().and_then(|of| of.tensor_type.as_ref()?.shape.as_ref());
        shape.into_iter().flat_map(|shape| &shape.dim).filter_map(|dimension| dimension.length.clone()).collect()
    }
}

/// What a value is.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Type {
    /// Numbers with a shape.
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorType>,
}

/// Numbers with a shape.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct TensorType {
    /// Their type.
    #[prost(enumeration = "DataType", optional, tag = "1")]
    pub elem_type: Option<i32>,
    /// Their shape.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

/// A length for each dimension.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Shape {
    /// The lengths.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

/// A length.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Dimension {
    /// A number, or the name of one that is known when the graph is run.
    #[prost(oneof = "Length", tags = "1, 2")]
    pub length: Option<Length>,
}

/// A number, or the name of one.
#[derive(Clone, PartialEq, Eq, Hash, Oneof)]
pub enum Length {
    /// A number.
    #[prost(int64, tag = "1")]
    Number(i64),
    /// A name: equal names are equal lengths.
    #[prost(string, tag = "2")]
    Name(String),
}

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Length::Number(number) => write!(f, "{number}"),
            Length::Name(name) => f.write_str(name),
        }
    }
}
