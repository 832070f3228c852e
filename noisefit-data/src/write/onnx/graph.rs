//! Putting a graph together, node after node; a value is known by its name.

use super::proto::{Attribute, DataType, Dimension, Graph, Length, Node, Shape, Tensor, TensorType, Type, ValueInfo};

/// The name of the number of rows.
const ROWS: &str = "rows";

/// A type of numbers that a tensor holds.
pub(super) trait Element: Copy {
    const TYPE: DataType;
    fn extend(self, bytes: &mut Vec<u8>);
}

impl Element for f32 {
    const TYPE: DataType = DataType::Float;
    fn extend(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

impl Element for f64 {
    const TYPE: DataType = DataType::Double;
    fn extend(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

impl Element for i64 {
    const TYPE: DataType = DataType::Int64;
    fn extend(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

impl Graph {
    /// Declares doubles that are given, `[rows, columns]`.
    pub(super) fn take(&mut self, name: &str, columns: usize) -> String {
        self.input.push(value_info(name, Some(columns)));
        name.to_owned()
    }

    /// Gives a value `[rows, columns]` out, or as `[rows]` where there are no columns to tell apart.
    pub(super) fn give(&mut self, value: &str, name: &str, columns: Option<usize>) {
        match columns {
            Some(_) => self.apply("Identity", &[value], name),
            None => {
                let axes = self.tensor(&format!("{name}.axes"), &[1], &[1i64]);
                self.apply("Squeeze", &[value, &axes], name)
            }
        };
        self.output.push(value_info(name, columns));
    }

    /// Constants.
    pub(super) fn tensor<T: Element>(&mut self, name: &str, shape: &[usize], values: &[T]) -> String {
        let mut bytes = Vec::with_capacity(size_of_val(values));
        values.iter().for_each(|value| value.extend(&mut bytes));
        self.initializer.push(Tensor {
            dims: shape.iter().map(|&length| length as i64).collect(),
            data_type: Some(T::TYPE as i32),
            name: Some(name.to_owned()),
            raw_data: Some(bytes),
        });
        name.to_owned()
    }

    /// A single constant.
    pub(super) fn number<T: Element>(&mut self, name: &str, value: T) -> String {
        self.tensor(name, &[], &[value])
    }

    /// Applies an operator; its value and its node have one name.
    pub(super) fn apply(&mut self, operator: &str, inputs: &[&str], name: &str) -> String {
        self.apply_told(operator, inputs, &[], name)
    }

    /// Applies an operator that is told integers.
    pub(super) fn apply_told(&mut self, operator: &str, inputs: &[&str], told: &[(&str, i64)], name: &str) -> String {
        let attribute = |&(name, value): &(&str, i64)| Attribute {
            name: Some(name.to_owned()),
            i: Some(value),
            r#type: Some(Attribute::INTEGER),
        };
        self.node.push(Node {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.to_owned()],
            name: Some(name.to_owned()),
            op_type: Some(operator.to_owned()),
            attribute: told.iter().map(attribute).collect(),
        });
        name.to_owned()
    }

    /// The same numbers as another type.
    pub(super) fn cast<T: Element>(&mut self, value: &str, name: &str) -> String {
        self.apply_told("Cast", &[value], &[("to", T::TYPE as i64)], name)
    }

    /// Columns of a matrix, in this order.
    pub(super) fn columns(&mut self, matrix: &str, places: impl IntoIterator<Item = usize>, name: &str) -> String {
        let places: Vec<i64> = places.into_iter().map(|place| place as i64).collect();
        let places = self.tensor(&format!("{name}.columns"), &[places.len()], &places);
        self.apply_told("Gather", &[matrix, &places], &[("axis", 1)], name)
    }

    /// `matrix weights + bias` with weights by rows; without columns of the matrix the bias in every row.
    pub(super) fn affine<T: Element>(&mut self, matrix: &str, weights: &[T], bias: &[T], name: &str) -> String {
        let (inputs, outputs) = (weights.len() / bias.len().max(1), bias.len());
        if inputs == 0 {
            return self.repeat(matrix, bias, name);
        }
        let weights = self.tensor(&format!("{name}.weight"), &[inputs, outputs], weights);
        let bias = self.tensor(&format!("{name}.bias"), &[outputs], bias);
        self.apply("Gemm", &[matrix, &weights, &bias], name)
    }

    /// One row, as often as a matrix has rows.
    pub(super) fn repeat<T: Element>(&mut self, matrix: &str, row: &[T], name: &str) -> String {
        let one = self.tensor(&format!("{name}.row"), &[1, row.len()], row);
        let columns = self.tensor(&format!("{name}.width"), &[1], &[row.len() as i64]);
        let rows = self.apply_told("Shape", &[matrix], &[("end", 1)], &format!("{name}.rows"));
        let shape = self.apply_told("Concat", &[&rows, &columns], &[("axis", 0)], &format!("{name}.shape"));
        self.apply("Expand", &[&one, &shape], name)
    }
}

/// Doubles, a row for each of the data's.
fn value_info(name: &str, columns: Option<usize>) -> ValueInfo {
    let rows = Dimension { length: Some(Length::Name(ROWS.to_owned())) };
    let columns = columns.map(|columns| Dimension { length: Some(Length::Number(columns as i64)) });
    let shape = Shape { dim: [rows].into_iter().chain(columns).collect() };
    let tensor_type = TensorType { elem_type: Some(DataType::Double as i32), shape: Some(shape) };
    ValueInfo { name: Some(name.to_owned()), r#type: Some(Type { tensor_type: Some(tensor_type) }) }
}
