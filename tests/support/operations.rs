//! How many integer operations the cost function takes, counted in what naga makes of the shader.

use gigawatt::cost::SOURCE;
use naga::{Block, Expression, Function, Module, Statement};

/// The shader that ranks, behind the cost function.
pub(crate) const RANK: &str = include_str!("../../shaders/rank.wgsl");

/// Integer operations of one function of the cost model: arithmetic, comparisons, selections.
pub(crate) fn operations(name: &str) -> usize {
    let module = naga::front::wgsl::parse_str(SOURCE).expect("the shader parses");
    let function = module.functions.iter().find(|(_, function)| function.name.as_deref() == Some(name));
    let (_, function) = function.unwrap_or_else(|| panic!("no function `{name}`"));
    of_block(&module, function, &function.body)
}

/// Integer operations that a thread of `scan` does for every pair: all of its innermost loop, what it calls included;
/// what it does only for the first domain of a group and for a domain that enters the list is left out.
pub(crate) fn operations_a_pair(rank: &str) -> usize {
    let module = naga::front::wgsl::parse_str(&format!("{SOURCE}{rank}")).expect("the shader parses");
    let scan = module.entry_points.iter().find(|entry| entry.name == "scan").expect("it scans");
    let (tiles, _) = loops(&scan.function.body)[0];
    let (slots, again) = loops(tiles)[0];
    of_block(&module, &scan.function, slots) + of_block(&module, &scan.function, again)
}

/// The outermost loops of a block: their bodies, and what each does before it goes round again.
fn loops(block: &Block) -> Vec<(&Block, &Block)> {
    let loops = block.iter().flat_map(|statement| match statement {
        Statement::Loop { body, continuing, .. } => vec![(body, continuing)],
        Statement::Block(inner) => loops(inner),
        _ => Vec::new(),
    });
    loops.collect()
}

/// What is done whenever the block is run, branches left out.
fn of_block(module: &Module, function: &Function, block: &Block) -> usize {
    let counts = |expression: &Expression| {
        use Expression::{Binary, Math, Select, Unary};
        matches!(expression, Binary { .. } | Math { .. } | Select { .. } | Unary { .. })
    };
    let of = |statement: &Statement| match statement {
        Statement::Emit(range) => {
            range.clone().filter(|handle| counts(&function.expressions[*handle])).count()
        }
        Statement::Block(inner) => of_block(module, function, inner),
        Statement::Call { function, .. } => {
            let called = &module.functions[*function];
            of_block(module, called, &called.body)
        }
        _ => 0,
    };
    block.iter().map(of).sum()
}
