//go:build !amd64 || race

package runtime

import "sync/atomic"

// storeRelease stores v in *p after all that the caller wrote before.
func storeRelease(p *uint32, v uint32) { atomic.StoreUint32(p, v) }

// storeOwn is a store by the party whose word it is.
func storeOwn(p *atomic.Uint64, v uint64) { p.Store(v) }
