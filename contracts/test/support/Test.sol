// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The cheat codes of forge that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    struct DirEntry {
        string errorMessage;
        string path;
        uint64 depth;
        bool isDir;
        bool isSymlink;
    }

    function accesses(address target) external returns (bytes32[] memory reads, bytes32[] memory writes);
    function assertEq(address left, address right) external pure;
    function assertEq(bytes32 left, bytes32 right) external pure;
    function assertEq(bytes calldata left, bytes calldata right) external pure;
    function assertEq(uint256 left, uint256 right) external pure;
    function assertEq(uint256 left, uint256 right, string calldata message) external pure;
    function assertFalse(bool condition) external pure;
    function assertFalse(bool condition, string calldata message) external pure;
    function assertTrue(bool condition) external pure;
    function assertTrue(bool condition, string calldata message) external pure;
    function assume(bool condition) external pure;
    function clearMockedCalls() external;
    function deal(address account, uint256 balance) external;
    function exists(string calldata path) external view returns (bool);
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function expectRevert(bytes calldata reason) external;
    function getRecordedLogs() external returns (Log[] memory logs);
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool present);
    function load(address target, bytes32 slot) external view returns (bytes32 value);
    function mockCall(address callee, bytes calldata data, bytes calldata returned) external;
    function mockCallRevert(address callee, bytes calldata data, bytes calldata returned) external;
    function parseBytes32(string calldata text) external pure returns (bytes32 value);
    function parseJson(string calldata json, string calldata key) external pure returns (bytes memory encoded);
    function parseJsonBool(string calldata json, string calldata key) external pure returns (bool value);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory value);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32 value);
    function parseJsonInt(string calldata json, string calldata key) external pure returns (int256 value);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory value);
    function parseJsonStringArray(string calldata json, string calldata key)
        external
        pure
        returns (string[] memory values);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256 value);
    function prank(address sender) external;
    function readDir(string calldata path, uint64 maxDepth) external view returns (DirEntry[] memory entries);
    function readFile(string calldata path) external view returns (string memory content);
    function record() external;
    function recordLogs() external;
    function roll(uint256 blockNumber) external;
    function skip(bool skipped, string calldata reason) external;
    function warp(uint256 time) external;
}

abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
}
