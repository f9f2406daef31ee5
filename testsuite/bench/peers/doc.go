// Package peers has the echo servers of other projects, with which the bench compares ours. Each
// announces its address and serves for ever.
package peers
