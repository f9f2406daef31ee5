// Package auth decides who may log in to the FTP server and what they may do there.
//
// # Model
//
// An [Authenticator] turns a name and a password into an [Identity]: a home directory inside the
// served root and a set of [Permissions]. [Users] reads them from a text file, [Single] holds one,
// [Anonymous] adds the guest names in front of another. Whatever is wrong with a login, the answer
// is [ErrDenied] and takes as long as for any other name (RFC 2577 section 6).
//
// # The users file
//
// One user a line, four fields or five; lines that are blank or begin with # are ignored:
//
//	# name:hash:home:permissions:quota
//	alice:$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$...:/alice:rw
//	bob:$2y$12$...:/:list,read
//	carol:*:/carol:rw:10G,100000
//
// The name is UTF-8 without control characters, slash or colon, at most 64 bytes. The hash is what
// [HashPassword] gives, any argon2id PHC string or bcrypt hash ($2a$, $2b$, $2y$) within the bounds
// of [ParseHash], or * for an account that cannot log in. The home is a path inside the served root,
// "/alice" and "alice" being the same; it may not contain a colon or climb with "..". Permissions
// are what [ParsePermissions] reads, and the quota, which may be left out, what [ParseQuota] reads.
//
// # Blocking
//
// Checking a password takes tens of milliseconds of processor time and, for argon2id, memory; loading
// a file reads the disk. Nothing here knows the task runtime: callers that run on its workers must
// move these calls to the offload pool.
//
// # Secrets
//
// No error, and no String method, of this package contains a password, a hash, or the text of a line
// that could not be read.
package auth
