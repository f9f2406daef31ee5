//go:build !race

// Package store has stores that need less order than those of sync/atomic.
package store

import (
	"sync/atomic"
	"unsafe"
)

// SAFETY: on amd64 a store is a release, and the compiler keeps the order of
// stores; sync/atomic's would be an exchange, which takes 5 ns.

// Release stores v in *p after all that the caller wrote before.
func Release(p *uint32, v uint32) { *p = v }

// Own is a store by the party whose word it is. Others compare and swap
// there, with a generation that the word does not have, or after they learned of
// the wait in a way that orders this store before.
func Own(p *atomic.Uint64, v uint64) { *(*uint64)(unsafe.Pointer(p)) = v }
