//! What the tests share.

use std::{fs, path::Path};

use prost_reflect::DescriptorPool;

/// Compiles one `.proto` text, on line 1 of `test.proto`, together with the contract's imports.
pub fn pool(source: &str) -> DescriptorPool {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("test.proto"), source).unwrap();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let mut compiler = protox::Compiler::new([folder.path(), contract.as_path()]).unwrap();
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_file("test.proto")
        .unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}
