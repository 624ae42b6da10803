//! Descriptors, compiled when they are first asked for.

use std::{fs, path::Path, sync::LazyLock};

use prost_reflect::DescriptorPool;

/// The types of `echo.proto`.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS.as_slice()).unwrap());

/// The same as an encoded descriptor set.
pub static DESCRIPTORS: LazyLock<Vec<u8>> = LazyLock::new(|| descriptors(include_str!("echo.proto")));

/// Compiles one `.proto` text, named `test.proto`, together with the contract's imports.
pub fn pool(source: &str) -> DescriptorPool {
    DescriptorPool::decode(descriptors(source).as_slice()).unwrap()
}

/// The same as an encoded descriptor set.
pub fn descriptors(source: &str) -> Vec<u8> {
    compile(source, true)
}

/// The same with source info or without.
pub fn compile(source: &str, source_info: bool) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("test.proto"), source).unwrap();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let mut compiler = protox::Compiler::new([folder.path(), contract.as_path()]).unwrap();
    compiler
        .include_source_info(source_info)
        .include_imports(true)
        .open_file("test.proto")
        .unwrap();
    compiler.encode_file_descriptor_set()
}
