//go:build !amd64 || race

// Package store has stores that need less order than those of sync/atomic.
package store

import "sync/atomic"

// Release stores v in *p after all that the caller wrote before.
func Release(p *uint32, v uint32) { atomic.StoreUint32(p, v) }

// Own is a store by the party whose word it is.
func Own(p *atomic.Uint64, v uint64) { p.Store(v) }
