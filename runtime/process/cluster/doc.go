// Package cluster x
package cluster
