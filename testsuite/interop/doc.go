// Package interop tests our programs against foreign ones: ftpd against curl,
// lftp, wget and Python's ftplib. Each test runs on both engines of ftpd. A test
// whose program is absent is skipped, and says so; with WEFT_REQUIRE_PEERS=1 it
// fails.
package interop
