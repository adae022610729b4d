/// Mounts that nobody sees but the program that a script ends with.
enum PrivateMount {
    /// Root mounts at once. Others become root of a user namespace, mount, and become themselves again in a second one.
    ///
    /// `mount` and `command` are lines of a shell without single quotes; `command` is given the script's arguments.
    static func script(_ mount: String, then command: String) -> String {
        """
        user=$(id -u) group=$(id -g)
        mount='\(mount) || exit 1'
        if [ "$user" = 0 ]; then exec unshare -m sh -c "$mount"'; \(command)' sh "$@"; fi
        exec unshare -Urm sh -c "$mount"'; exec unshare -U --map-user='"$user"' --map-group='"$group"' sh -c '\\''\(command)'\\'' sh "$@"' sh "$@"
        """
    }
}
