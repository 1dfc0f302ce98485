// The names of Unity that the package uses, so that mono can compile all of it; nothing of it runs.
using System;

namespace UnityEngine
{
    public class TooltipAttribute : Attribute { public TooltipAttribute(string text) { } }
    public class RequireComponent : Attribute { public RequireComponent(Type type) { } }
    public class Object { }
    public class Component : Object
    {
        public Transform transform { get { return null; } }
        public T GetComponent<T>() { return default(T); }
    }
    public class Behaviour : Component { public bool enabled { get; set; } }
    public class MonoBehaviour : Behaviour { }
    public class Transform : Component
    {
        public Vector3 position { get; set; }
        public Quaternion rotation { get; set; }
        public Vector3 TransformPoint(Vector3 v) { return v; }
        public Vector3 InverseTransformPoint(Vector3 v) { return v; }
    }
    public class Animator : Behaviour
    {
        public bool isHuman { get { return true; } }
        public Transform GetBoneTransform(HumanBodyBones bone) { return null; }
    }
    public enum HumanBodyBones { Hips }
    public struct Vector3
    {
        public float x, y, z;
        public Vector3(float x, float y, float z) { this.x = x; this.y = y; this.z = z; }
        public float magnitude { get { return 0; } }
        public static Vector3 operator -(Vector3 a, Vector3 b) { return a; }
    }
    public struct Quaternion
    {
        public float x, y, z, w;
        public Quaternion(float x, float y, float z, float w) { this.x = x; this.y = y; this.z = z; this.w = w; }
        public static Quaternion Inverse(Quaternion q) { return q; }
        public static Quaternion operator *(Quaternion a, Quaternion b) { return a; }
    }
    public static class Debug
    {
        public static void Log(object text) { }
        public static void LogError(object text, Object context) { }
    }
    public static class Time { public static float time { get { return 0; } } }
    public static class Application { public static bool isPlaying { get { return true; } } }
    public static class GUILayout { public static bool Button(string text) { return false; } }
}

namespace UnityEditor
{
    public class CustomEditor : Attribute { public CustomEditor(Type type) { } }
    public class Editor : UnityEngine.Object
    {
        public UnityEngine.Object target { get { return null; } }
        public bool DrawDefaultInspector() { return true; }
        public virtual void OnInspectorGUI() { }
        public void Repaint() { }
    }
    public enum MessageType { Info }
    public static class EditorGUILayout
    {
        public class HorizontalScope : IDisposable { public void Dispose() { } }
        public static void HelpBox(string text, MessageType type) { }
        public static void LabelField(string text) { }
        public static string TextField(string text) { return text; }
    }
}
