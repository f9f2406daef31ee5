//go:build unix && !linux

package storage_test

import "errors"

func mountTiny(string) error { return errors.ErrUnsupported }

func unmount(string) error { return nil }
