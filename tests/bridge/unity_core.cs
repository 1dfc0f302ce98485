// Runs the core of the Unity package without Unity: "frames FILE", "rig FILE", "link URL TOKEN"; prints JSON.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Motiongen;

static class UnityCore
{
    static string Numbers(params double[] values)
    {
        return "[" + string.Join(",", values.Select(Json.Number).ToArray()) + "]";
    }

    static string Of(Quat q) { return Numbers(q.X, q.Y, q.Z, q.W); }

    static double[] List(object value) { return ((List<object>)value).Select(one => (double)one).ToArray(); }

    static Quat[] Quats(object value)
    {
        return ((List<object>)value).Select(List).Select(q => new Quat(q[0], q[1], q[2], q[3])).ToArray();
    }

    static Vec3[] Vecs(object value)
    {
        return ((List<object>)value).Select(List).Select(v => new Vec3(v[0], v[1], v[2])).ToArray();
    }

    static string Decoded(string hex)
    {
        var data = Enumerable.Range(0, hex.Length / 2).Select(n => Convert.ToByte(hex.Substring(2 * n, 2), 16)).ToArray();
        var frame = new Frame();
        if (!frame.Decode(data, data.Length)) return "null";
        return "{\"numbers\":" + Numbers(frame.Character, frame.Seq, frame.Obeys, frame.Time, frame.Contacts) +
            ",\"gap\":" + (frame.IsGap ? "true" : "false") +
            ",\"root\":" + Numbers(frame.Root.X, frame.Root.Y, frame.Root.Z) +
            ",\"rotations\":[" + string.Join(",", frame.Rotations.Select(Of).ToArray()) + "]}";
    }

    static string Posed(Dictionary<string, object> given)
    {
        var names = ((List<object>)given["names"]).Select(name => (string)name).ToArray();
        var parents = List(given["parents"]).Select(parent => (int)parent).ToArray();
        var has = ((List<object>)given["has"]).Select(one => (bool)one).ToArray();
        Rig rig;
        try
        {
            rig = new Rig(names, parents, Vecs(given["offsets"]), has, Quats(given["rest"]), Vecs(given["heads"]));
        }
        catch (ArgumentException error) { return "{\"error\":" + Json.Quote(error.Message) + "}"; }
        rig.Apply(Quats(given["rotations"]), Vecs(given["root"])[0]);
        return "{\"scale\":" + Json.Number(rig.Scale) + ",\"hips\":" + Numbers(rig.Hips.X, rig.Hips.Y, rig.Hips.Z) +
            ",\"world\":[" + string.Join(",", rig.World.Select(Of).ToArray()) + "]}";
    }

    static string Linked(string url, string token)
    {
        var link = new Link(url, token, "a person \"walks\"");
        var names = new List<object>();
        Rig rig = null;
        string note = null;
        int shown = 0;
        for (int n = 0; n < (rig == null ? 300 : 3000) && link.IsRunning && (shown < 60 || note == null); n++)
        {
            Thread.Sleep(10);
            if (rig == null && link.Skeleton != null)
            {
                names = (List<object>)link.Skeleton["names"];
                var offsets = Vecs(link.Skeleton["offsets"]);
                var parents = List(link.Skeleton["parents"]).Select(parent => (int)parent).ToArray();
                var has = names.Select(name => true).ToArray();
                var heads = new Vec3[names.Count];
                for (int j = 1; j < heads.Length; j++) heads[j] = heads[parents[j]] + UnityAxes.Position(offsets[j]);
                rig = new Rig(names.Select(name => (string)name).ToArray(), parents, offsets, has,
                    names.Select(name => Quat.Identity).ToArray(), heads);
                link.Tell("hold");
                link.Tell("nonsense");
            }
            if (rig != null && link.Show(rig)) shown++;
            note = note ?? link.NextNote();
        }
        string status = link.Status;
        link.Dispose();
        return "{\"shown\":" + shown + ",\"joints\":" + names.Count + ",\"status\":" + Json.Quote(status) +
            ",\"note\":" + Json.Quote(note ?? "") + ",\"end\":" + Json.Quote(link.Status) + "}";
    }

    static void Main(string[] words)
    {
        if (words[0] == "link") { Console.WriteLine(Linked(words[1], words.Length > 2 ? words[2] : "")); return; }
        object given = Json.Parse(File.ReadAllText(words[1]));
        if (words[0] == "rig") { Console.WriteLine(Posed((Dictionary<string, object>)given)); return; }
        var all = (Dictionary<string, object>)given;
        var cases = ((List<object>)all["frames"]).Concat((List<object>)all["refused"]);
        var hexes = cases.Select(one => (Dictionary<string, object>)one).Where(one => one.ContainsKey("hex"));
        Console.WriteLine("[" + string.Join(",", hexes.Select(one => Decoded((string)one["hex"])).ToArray()) + "]");
    }
}
