package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
)

// runVictim is "iomodels victim ADDRESS CLIENTS SIZE", a process that is there to be killed: it connects
// clients, leaves each in the middle of a message, says so, and waits.
func runVictim(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 3 {
		return usageError("victim takes an address, a number of clients, and a size")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return usageError(err.Error())
	}
	size, err := strconv.Atoi(args[2])
	if err != nil {
		return usageError(err.Error())
	}
	all, err := dialCrowd(context.Background(), args[0], n, size)
	if err != nil {
		return err
	}
	defer all.close()
	for _, c := range all {
		if err := c.half(); err != nil {
			return err
		}
	}
	fmt.Fprintln(stdout, "ready")
	_, err = io.Copy(io.Discard, stdin)
	return err
}
