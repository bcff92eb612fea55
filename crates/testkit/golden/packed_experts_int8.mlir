module @packed_experts_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xbf16>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<4x1x66x64xi8>, %arg4: tensor<4x1x66x64xi8>, %arg5: tensor<4x2x20x64xi8>, %arg6: tensor<4x1x3x64xbf16>, %arg7: tensor<4x1x3x64xbf16>, %arg8: tensor<4x2x1x64xbf16>) -> (tensor<3x66xbf16>) {
    %0 = stablehlo.convert %arg3 : (tensor<4x1x66x64xi8>) -> tensor<4x1x66x64xf32>
    %1 = stablehlo.transpose %0, dims = [0, 1, 3, 2] : (tensor<4x1x66x64xf32>) -> tensor<4x1x64x66xf32>
    %2 = stablehlo.constant dense<0.0> : tensor<f32>
    %3 = stablehlo.pad %1, %2, low = [0, 0, 0, 0], high = [0, 0, 0, 30], interior = [0, 0, 0, 0] : (tensor<4x1x64x66xf32>, tensor<f32>) -> tensor<4x1x64x96xf32>
    %4 = stablehlo.reshape %3 : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x3x32xf32>
    %5 = stablehlo.convert %arg6 : (tensor<4x1x3x64xbf16>) -> tensor<4x1x3x64xf32>
    %6 = stablehlo.transpose %5, dims = [0, 1, 3, 2] : (tensor<4x1x3x64xf32>) -> tensor<4x1x64x3xf32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [0, 1, 2, 3] : (tensor<4x1x64x3xf32>) -> tensor<4x1x64x3x32xf32>
    %8 = stablehlo.multiply %4, %7 : tensor<4x1x64x3x32xf32>
    %9 = stablehlo.reshape %8 : (tensor<4x1x64x3x32xf32>) -> tensor<4x1x64x96xf32>
    %10 = stablehlo.slice %9 [0:4, 0:1, 0:64, 0:66] : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x66xf32>
    %11 = stablehlo.reshape %10 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %12 = stablehlo.slice %11 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %13 = stablehlo.convert %arg4 : (tensor<4x1x66x64xi8>) -> tensor<4x1x66x64xf32>
    %14 = stablehlo.transpose %13, dims = [0, 1, 3, 2] : (tensor<4x1x66x64xf32>) -> tensor<4x1x64x66xf32>
    %15 = stablehlo.constant dense<0.0> : tensor<f32>
    %16 = stablehlo.pad %14, %15, low = [0, 0, 0, 0], high = [0, 0, 0, 30], interior = [0, 0, 0, 0] : (tensor<4x1x64x66xf32>, tensor<f32>) -> tensor<4x1x64x96xf32>
    %17 = stablehlo.reshape %16 : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x3x32xf32>
    %18 = stablehlo.convert %arg7 : (tensor<4x1x3x64xbf16>) -> tensor<4x1x3x64xf32>
    %19 = stablehlo.transpose %18, dims = [0, 1, 3, 2] : (tensor<4x1x3x64xf32>) -> tensor<4x1x64x3xf32>
    %20 = stablehlo.broadcast_in_dim %19, dims = [0, 1, 2, 3] : (tensor<4x1x64x3xf32>) -> tensor<4x1x64x3x32xf32>
    %21 = stablehlo.multiply %17, %20 : tensor<4x1x64x3x32xf32>
    %22 = stablehlo.reshape %21 : (tensor<4x1x64x3x32xf32>) -> tensor<4x1x64x96xf32>
    %23 = stablehlo.slice %22 [0:4, 0:1, 0:64, 0:66] : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x66xf32>
    %24 = stablehlo.reshape %23 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %25 = stablehlo.slice %24 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %26 = stablehlo.convert %arg5 : (tensor<4x2x20x64xi8>) -> tensor<4x2x20x64xf32>
    %27 = stablehlo.transpose %26, dims = [0, 1, 3, 2] : (tensor<4x2x20x64xf32>) -> tensor<4x2x64x20xf32>
    %28 = stablehlo.constant dense<0.0> : tensor<f32>
    %29 = stablehlo.pad %27, %28, low = [0, 0, 0, 0], high = [0, 0, 0, 12], interior = [0, 0, 0, 0] : (tensor<4x2x64x20xf32>, tensor<f32>) -> tensor<4x2x64x32xf32>
    %30 = stablehlo.reshape %29 : (tensor<4x2x64x32xf32>) -> tensor<4x2x64x1x32xf32>
    %31 = stablehlo.convert %arg8 : (tensor<4x2x1x64xbf16>) -> tensor<4x2x1x64xf32>
    %32 = stablehlo.transpose %31, dims = [0, 1, 3, 2] : (tensor<4x2x1x64xf32>) -> tensor<4x2x64x1xf32>
    %33 = stablehlo.broadcast_in_dim %32, dims = [0, 1, 2, 3] : (tensor<4x2x64x1xf32>) -> tensor<4x2x64x1x32xf32>
    %34 = stablehlo.multiply %30, %33 : tensor<4x2x64x1x32xf32>
    %35 = stablehlo.reshape %34 : (tensor<4x2x64x1x32xf32>) -> tensor<4x2x64x32xf32>
    %36 = stablehlo.slice %35 [0:4, 0:2, 0:64, 0:20] : (tensor<4x2x64x32xf32>) -> tensor<4x2x64x20xf32>
    %37 = stablehlo.reshape %36 : (tensor<4x2x64x20xf32>) -> tensor<4x128x20xf32>
    %38 = stablehlo.slice %37 [0:4, 0:66, 0:20] : (tensor<4x128x20xf32>) -> tensor<4x66x20xf32>
    %39 = stablehlo.convert %arg0 : (tensor<3x66xbf16>) -> tensor<3x66xf32>
    %40 = stablehlo.broadcast_in_dim %39, dims = [0, 2] : (tensor<3x66xf32>) -> tensor<3x2x66xf32>
    %41 = stablehlo.reshape %40 : (tensor<3x2x66xf32>) -> tensor<6x66xf32>
    %42 = stablehlo.reshape %arg2 : (tensor<3x2xi32>) -> tensor<6xi32>
    %43 = stablehlo.constant dense<0> : tensor<i32>
    %44 = stablehlo.constant dense<1> : tensor<i32>
    %45 = stablehlo.constant dense<6> : tensor<i32>
    %46 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %47:2 = stablehlo.while(%48 = %43, %49 = %46) : tensor<i32>, tensor<6x20xf32>
    cond {
      %50 = stablehlo.compare LT, %48, %45, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %50 : tensor<i1>
    } do {
    %51 = stablehlo.constant dense<1> : tensor<i32>
    %52 = stablehlo.multiply %48, %51 : tensor<i32>
    %53 = stablehlo.constant dense<0> : tensor<i32>
    %54 = stablehlo.dynamic_slice %41, %52, %53, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %55 = stablehlo.dynamic_slice %42, %48, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %56 = stablehlo.reshape %55 : (tensor<1xi32>) -> tensor<i32>
    %57 = stablehlo.constant dense<3> : tensor<i32>
    %58 = stablehlo.minimum %56, %57 : tensor<i32>
    %59 = stablehlo.constant dense<0> : tensor<i32>
    %60 = stablehlo.dynamic_slice %12, %58, %59, %59, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %61 = stablehlo.reshape %60 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %62 = stablehlo.dot_general %54, %61, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %63 = stablehlo.constant dense<0> : tensor<i32>
    %64 = stablehlo.dynamic_update_slice %49, %62, %52, %63 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %65 = stablehlo.add %48, %44 : tensor<i32>
    stablehlo.return %65, %64 : tensor<i32>, tensor<6x20xf32>
    }
    %66 = stablehlo.logistic %47#1 : tensor<6x20xf32>
    %67 = stablehlo.multiply %47#1, %66 : tensor<6x20xf32>
    %68 = stablehlo.constant dense<0> : tensor<i32>
    %69 = stablehlo.constant dense<1> : tensor<i32>
    %70 = stablehlo.constant dense<6> : tensor<i32>
    %71 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %72:2 = stablehlo.while(%73 = %68, %74 = %71) : tensor<i32>, tensor<6x20xf32>
    cond {
      %75 = stablehlo.compare LT, %73, %70, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %75 : tensor<i1>
    } do {
    %76 = stablehlo.constant dense<1> : tensor<i32>
    %77 = stablehlo.multiply %73, %76 : tensor<i32>
    %78 = stablehlo.constant dense<0> : tensor<i32>
    %79 = stablehlo.dynamic_slice %41, %77, %78, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %80 = stablehlo.dynamic_slice %42, %73, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %81 = stablehlo.reshape %80 : (tensor<1xi32>) -> tensor<i32>
    %82 = stablehlo.constant dense<3> : tensor<i32>
    %83 = stablehlo.minimum %81, %82 : tensor<i32>
    %84 = stablehlo.constant dense<0> : tensor<i32>
    %85 = stablehlo.dynamic_slice %25, %83, %84, %84, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %86 = stablehlo.reshape %85 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %87 = stablehlo.dot_general %79, %86, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %88 = stablehlo.constant dense<0> : tensor<i32>
    %89 = stablehlo.dynamic_update_slice %74, %87, %77, %88 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %90 = stablehlo.add %73, %69 : tensor<i32>
    stablehlo.return %90, %89 : tensor<i32>, tensor<6x20xf32>
    }
    %91 = stablehlo.multiply %67, %72#1 : tensor<6x20xf32>
    %92 = stablehlo.convert %91 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %93 = stablehlo.convert %92 : (tensor<6x20xbf16>) -> tensor<6x20xf32>
    %94 = stablehlo.constant dense<0> : tensor<i32>
    %95 = stablehlo.constant dense<1> : tensor<i32>
    %96 = stablehlo.constant dense<6> : tensor<i32>
    %97 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %98:2 = stablehlo.while(%99 = %94, %100 = %97) : tensor<i32>, tensor<6x66xf32>
    cond {
      %101 = stablehlo.compare LT, %99, %96, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %101 : tensor<i1>
    } do {
    %102 = stablehlo.constant dense<1> : tensor<i32>
    %103 = stablehlo.multiply %99, %102 : tensor<i32>
    %104 = stablehlo.constant dense<0> : tensor<i32>
    %105 = stablehlo.dynamic_slice %93, %103, %104, sizes = [1, 20] : (tensor<6x20xf32>, tensor<i32>, tensor<i32>) -> tensor<1x20xf32>
    %106 = stablehlo.dynamic_slice %42, %99, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %107 = stablehlo.reshape %106 : (tensor<1xi32>) -> tensor<i32>
    %108 = stablehlo.constant dense<3> : tensor<i32>
    %109 = stablehlo.minimum %107, %108 : tensor<i32>
    %110 = stablehlo.constant dense<0> : tensor<i32>
    %111 = stablehlo.dynamic_slice %38, %109, %110, %110, sizes = [1, 66, 20] : (tensor<4x66x20xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xf32>
    %112 = stablehlo.reshape %111 : (tensor<1x66x20xf32>) -> tensor<66x20xf32>
    %113 = stablehlo.dot_general %105, %112, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x20xf32>, tensor<66x20xf32>) -> tensor<1x66xf32>
    %114 = stablehlo.constant dense<0> : tensor<i32>
    %115 = stablehlo.dynamic_update_slice %100, %113, %103, %114 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %116 = stablehlo.add %99, %95 : tensor<i32>
    stablehlo.return %116, %115 : tensor<i32>, tensor<6x66xf32>
    }
    %117 = stablehlo.convert %98#1 : (tensor<6x66xf32>) -> tensor<6x66xbf16>
    %118 = stablehlo.reshape %117 : (tensor<6x66xbf16>) -> tensor<3x2x66xbf16>
    %119 = stablehlo.convert %118 : (tensor<3x2x66xbf16>) -> tensor<3x2x66xf32>
    %120 = stablehlo.broadcast_in_dim %arg1, dims = [0, 1] : (tensor<3x2xf32>) -> tensor<3x2x66xf32>
    %121 = stablehlo.multiply %119, %120 : tensor<3x2x66xf32>
    %122 = stablehlo.constant dense<0.0> : tensor<f32>
    %123 = stablehlo.reduce(%121 init: %122) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    %124 = stablehlo.convert %123 : (tensor<3x66xf32>) -> tensor<3x66xbf16>
    return %124 : tensor<3x66xbf16>
  }
}
