#include <crypt.h>
#include <argon2.h>
