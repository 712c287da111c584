package config

// isForeign has nothing to judge by: Windows keeps access lists, not owners alone.
func isForeign(string, string) bool { return false }
