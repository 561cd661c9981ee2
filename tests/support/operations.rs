//! How many integer operations the cost function takes, counted in what naga makes of the shader.

use gigawatt::cost::SOURCE;

/// Integer operations of one function of the shader: arithmetic, comparisons, selections.
pub(crate) fn operations(name: &str) -> usize {
    let module = naga::front::wgsl::parse_str(SOURCE).expect("the shader parses");
    let function = module.functions.iter().find(|(_, function)| function.name.as_deref() == Some(name));
    let (_, function) = function.unwrap_or_else(|| panic!("no function `{name}`"));
    let counts = |expression: &naga::Expression| {
        use naga::Expression::{Binary, Math, Select, Unary};
        matches!(expression, Binary { .. } | Math { .. } | Select { .. } | Unary { .. })
    };
    function.expressions.iter().filter(|(_, expression)| counts(expression)).count()
}
