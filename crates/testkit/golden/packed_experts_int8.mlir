module @packed_experts_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xbf16>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<4x1x33x64x2xi8>, %arg4: tensor<4x1x33x64x2xi8>, %arg5: tensor<4x2x10x64x2xi8>, %arg6: tensor<4x1x3x64xbf16>, %arg7: tensor<4x1x3x64xbf16>, %arg8: tensor<4x2x1x64xbf16>) -> (tensor<3x66xbf16>) {
    %0 = stablehlo.convert %arg3 : (tensor<4x1x33x64x2xi8>) -> tensor<4x1x33x64x2xf32>
    %1 = stablehlo.transpose %0, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xf32>) -> tensor<4x1x64x33x2xf32>
    %2 = stablehlo.reshape %1 : (tensor<4x1x64x33x2xf32>) -> tensor<4x1x64x66xf32>
    %3 = stablehlo.constant dense<0.0> : tensor<f32>
    %4 = stablehlo.pad %2, %3, low = [0, 0, 0, 0], high = [0, 0, 0, 30], interior = [0, 0, 0, 0] : (tensor<4x1x64x66xf32>, tensor<f32>) -> tensor<4x1x64x96xf32>
    %5 = stablehlo.reshape %4 : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x3x32xf32>
    %6 = stablehlo.convert %arg6 : (tensor<4x1x3x64xbf16>) -> tensor<4x1x3x64xf32>
    %7 = stablehlo.transpose %6, dims = [0, 1, 3, 2] : (tensor<4x1x3x64xf32>) -> tensor<4x1x64x3xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1, 2, 3] : (tensor<4x1x64x3xf32>) -> tensor<4x1x64x3x32xf32>
    %9 = stablehlo.multiply %5, %8 : tensor<4x1x64x3x32xf32>
    %10 = stablehlo.reshape %9 : (tensor<4x1x64x3x32xf32>) -> tensor<4x1x64x96xf32>
    %11 = stablehlo.slice %10 [0:4, 0:1, 0:64, 0:66] : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x66xf32>
    %12 = stablehlo.reshape %11 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %13 = stablehlo.slice %12 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %14 = stablehlo.convert %arg4 : (tensor<4x1x33x64x2xi8>) -> tensor<4x1x33x64x2xf32>
    %15 = stablehlo.transpose %14, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xf32>) -> tensor<4x1x64x33x2xf32>
    %16 = stablehlo.reshape %15 : (tensor<4x1x64x33x2xf32>) -> tensor<4x1x64x66xf32>
    %17 = stablehlo.constant dense<0.0> : tensor<f32>
    %18 = stablehlo.pad %16, %17, low = [0, 0, 0, 0], high = [0, 0, 0, 30], interior = [0, 0, 0, 0] : (tensor<4x1x64x66xf32>, tensor<f32>) -> tensor<4x1x64x96xf32>
    %19 = stablehlo.reshape %18 : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x3x32xf32>
    %20 = stablehlo.convert %arg7 : (tensor<4x1x3x64xbf16>) -> tensor<4x1x3x64xf32>
    %21 = stablehlo.transpose %20, dims = [0, 1, 3, 2] : (tensor<4x1x3x64xf32>) -> tensor<4x1x64x3xf32>
    %22 = stablehlo.broadcast_in_dim %21, dims = [0, 1, 2, 3] : (tensor<4x1x64x3xf32>) -> tensor<4x1x64x3x32xf32>
    %23 = stablehlo.multiply %19, %22 : tensor<4x1x64x3x32xf32>
    %24 = stablehlo.reshape %23 : (tensor<4x1x64x3x32xf32>) -> tensor<4x1x64x96xf32>
    %25 = stablehlo.slice %24 [0:4, 0:1, 0:64, 0:66] : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x66xf32>
    %26 = stablehlo.reshape %25 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %27 = stablehlo.slice %26 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %28 = stablehlo.convert %arg5 : (tensor<4x2x10x64x2xi8>) -> tensor<4x2x10x64x2xf32>
    %29 = stablehlo.transpose %28, dims = [0, 1, 3, 2, 4] : (tensor<4x2x10x64x2xf32>) -> tensor<4x2x64x10x2xf32>
    %30 = stablehlo.reshape %29 : (tensor<4x2x64x10x2xf32>) -> tensor<4x2x64x20xf32>
    %31 = stablehlo.constant dense<0.0> : tensor<f32>
    %32 = stablehlo.pad %30, %31, low = [0, 0, 0, 0], high = [0, 0, 0, 12], interior = [0, 0, 0, 0] : (tensor<4x2x64x20xf32>, tensor<f32>) -> tensor<4x2x64x32xf32>
    %33 = stablehlo.reshape %32 : (tensor<4x2x64x32xf32>) -> tensor<4x2x64x1x32xf32>
    %34 = stablehlo.convert %arg8 : (tensor<4x2x1x64xbf16>) -> tensor<4x2x1x64xf32>
    %35 = stablehlo.transpose %34, dims = [0, 1, 3, 2] : (tensor<4x2x1x64xf32>) -> tensor<4x2x64x1xf32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [0, 1, 2, 3] : (tensor<4x2x64x1xf32>) -> tensor<4x2x64x1x32xf32>
    %37 = stablehlo.multiply %33, %36 : tensor<4x2x64x1x32xf32>
    %38 = stablehlo.reshape %37 : (tensor<4x2x64x1x32xf32>) -> tensor<4x2x64x32xf32>
    %39 = stablehlo.slice %38 [0:4, 0:2, 0:64, 0:20] : (tensor<4x2x64x32xf32>) -> tensor<4x2x64x20xf32>
    %40 = stablehlo.reshape %39 : (tensor<4x2x64x20xf32>) -> tensor<4x128x20xf32>
    %41 = stablehlo.slice %40 [0:4, 0:66, 0:20] : (tensor<4x128x20xf32>) -> tensor<4x66x20xf32>
    %42 = stablehlo.convert %arg0 : (tensor<3x66xbf16>) -> tensor<3x66xf32>
    %43 = stablehlo.broadcast_in_dim %42, dims = [0, 2] : (tensor<3x66xf32>) -> tensor<3x2x66xf32>
    %44 = stablehlo.reshape %43 : (tensor<3x2x66xf32>) -> tensor<6x66xf32>
    %45 = stablehlo.reshape %arg2 : (tensor<3x2xi32>) -> tensor<6xi32>
    %46 = stablehlo.constant dense<0> : tensor<i32>
    %47 = stablehlo.constant dense<1> : tensor<i32>
    %48 = stablehlo.constant dense<6> : tensor<i32>
    %49 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %50:2 = stablehlo.while(%51 = %46, %52 = %49) : tensor<i32>, tensor<6x20xf32>
    cond {
      %53 = stablehlo.compare LT, %51, %48, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %53 : tensor<i1>
    } do {
    %54 = stablehlo.constant dense<1> : tensor<i32>
    %55 = stablehlo.multiply %51, %54 : tensor<i32>
    %56 = stablehlo.constant dense<0> : tensor<i32>
    %57 = stablehlo.dynamic_slice %44, %55, %56, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %58 = stablehlo.dynamic_slice %45, %51, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %59 = stablehlo.reshape %58 : (tensor<1xi32>) -> tensor<i32>
    %60 = stablehlo.constant dense<3> : tensor<i32>
    %61 = stablehlo.minimum %59, %60 : tensor<i32>
    %62 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.dynamic_slice %13, %61, %62, %62, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %64 = stablehlo.reshape %63 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %65 = stablehlo.dot_general %57, %64, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %66 = stablehlo.constant dense<0> : tensor<i32>
    %67 = stablehlo.dynamic_update_slice %52, %65, %55, %66 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %68 = stablehlo.add %51, %47 : tensor<i32>
    stablehlo.return %68, %67 : tensor<i32>, tensor<6x20xf32>
    }
    %69 = stablehlo.logistic %50#1 : tensor<6x20xf32>
    %70 = stablehlo.multiply %50#1, %69 : tensor<6x20xf32>
    %71 = stablehlo.constant dense<0> : tensor<i32>
    %72 = stablehlo.constant dense<1> : tensor<i32>
    %73 = stablehlo.constant dense<6> : tensor<i32>
    %74 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %75:2 = stablehlo.while(%76 = %71, %77 = %74) : tensor<i32>, tensor<6x20xf32>
    cond {
      %78 = stablehlo.compare LT, %76, %73, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %78 : tensor<i1>
    } do {
    %79 = stablehlo.constant dense<1> : tensor<i32>
    %80 = stablehlo.multiply %76, %79 : tensor<i32>
    %81 = stablehlo.constant dense<0> : tensor<i32>
    %82 = stablehlo.dynamic_slice %44, %80, %81, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %83 = stablehlo.dynamic_slice %45, %76, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %84 = stablehlo.reshape %83 : (tensor<1xi32>) -> tensor<i32>
    %85 = stablehlo.constant dense<3> : tensor<i32>
    %86 = stablehlo.minimum %84, %85 : tensor<i32>
    %87 = stablehlo.constant dense<0> : tensor<i32>
    %88 = stablehlo.dynamic_slice %27, %86, %87, %87, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %89 = stablehlo.reshape %88 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %90 = stablehlo.dot_general %82, %89, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %91 = stablehlo.constant dense<0> : tensor<i32>
    %92 = stablehlo.dynamic_update_slice %77, %90, %80, %91 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %93 = stablehlo.add %76, %72 : tensor<i32>
    stablehlo.return %93, %92 : tensor<i32>, tensor<6x20xf32>
    }
    %94 = stablehlo.multiply %70, %75#1 : tensor<6x20xf32>
    %95 = stablehlo.convert %94 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %96 = stablehlo.convert %95 : (tensor<6x20xbf16>) -> tensor<6x20xf32>
    %97 = stablehlo.constant dense<0> : tensor<i32>
    %98 = stablehlo.constant dense<1> : tensor<i32>
    %99 = stablehlo.constant dense<6> : tensor<i32>
    %100 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %101:2 = stablehlo.while(%102 = %97, %103 = %100) : tensor<i32>, tensor<6x66xf32>
    cond {
      %104 = stablehlo.compare LT, %102, %99, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %104 : tensor<i1>
    } do {
    %105 = stablehlo.constant dense<1> : tensor<i32>
    %106 = stablehlo.multiply %102, %105 : tensor<i32>
    %107 = stablehlo.constant dense<0> : tensor<i32>
    %108 = stablehlo.dynamic_slice %96, %106, %107, sizes = [1, 20] : (tensor<6x20xf32>, tensor<i32>, tensor<i32>) -> tensor<1x20xf32>
    %109 = stablehlo.dynamic_slice %45, %102, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %110 = stablehlo.reshape %109 : (tensor<1xi32>) -> tensor<i32>
    %111 = stablehlo.constant dense<3> : tensor<i32>
    %112 = stablehlo.minimum %110, %111 : tensor<i32>
    %113 = stablehlo.constant dense<0> : tensor<i32>
    %114 = stablehlo.dynamic_slice %41, %112, %113, %113, sizes = [1, 66, 20] : (tensor<4x66x20xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xf32>
    %115 = stablehlo.reshape %114 : (tensor<1x66x20xf32>) -> tensor<66x20xf32>
    %116 = stablehlo.dot_general %108, %115, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x20xf32>, tensor<66x20xf32>) -> tensor<1x66xf32>
    %117 = stablehlo.constant dense<0> : tensor<i32>
    %118 = stablehlo.dynamic_update_slice %103, %116, %106, %117 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %119 = stablehlo.add %102, %98 : tensor<i32>
    stablehlo.return %119, %118 : tensor<i32>, tensor<6x66xf32>
    }
    %120 = stablehlo.convert %101#1 : (tensor<6x66xf32>) -> tensor<6x66xbf16>
    %121 = stablehlo.reshape %120 : (tensor<6x66xbf16>) -> tensor<3x2x66xbf16>
    %122 = stablehlo.convert %121 : (tensor<3x2x66xbf16>) -> tensor<3x2x66xf32>
    %123 = stablehlo.broadcast_in_dim %arg1, dims = [0, 1] : (tensor<3x2xf32>) -> tensor<3x2x66xf32>
    %124 = stablehlo.multiply %122, %123 : tensor<3x2x66xf32>
    %125 = stablehlo.constant dense<0.0> : tensor<f32>
    %126 = stablehlo.reduce(%124 init: %125) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    %127 = stablehlo.convert %126 : (tensor<3x66xf32>) -> tensor<3x66xbf16>
    return %127 : tensor<3x66xbf16>
  }
}
