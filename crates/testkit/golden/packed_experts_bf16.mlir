module @packed_experts_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xbf16>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<3x66xbf16>, %arg4: tensor<4x1x33x64x2xbf16>, %arg5: tensor<4x1x33x64x2xbf16>, %arg6: tensor<4x2x10x64x2xbf16>) -> (tensor<3x66xbf16>) {
    %0 = stablehlo.transpose %arg4, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xbf16>) -> tensor<4x1x64x33x2xbf16>
    %1 = stablehlo.reshape %0 : (tensor<4x1x64x33x2xbf16>) -> tensor<4x1x64x66xbf16>
    %2 = stablehlo.reshape %1 : (tensor<4x1x64x66xbf16>) -> tensor<4x64x66xbf16>
    %3 = stablehlo.slice %2 [0:4, 0:20, 0:66] : (tensor<4x64x66xbf16>) -> tensor<4x20x66xbf16>
    %4 = stablehlo.transpose %arg5, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xbf16>) -> tensor<4x1x64x33x2xbf16>
    %5 = stablehlo.reshape %4 : (tensor<4x1x64x33x2xbf16>) -> tensor<4x1x64x66xbf16>
    %6 = stablehlo.reshape %5 : (tensor<4x1x64x66xbf16>) -> tensor<4x64x66xbf16>
    %7 = stablehlo.slice %6 [0:4, 0:20, 0:66] : (tensor<4x64x66xbf16>) -> tensor<4x20x66xbf16>
    %8 = stablehlo.transpose %arg6, dims = [0, 1, 3, 2, 4] : (tensor<4x2x10x64x2xbf16>) -> tensor<4x2x64x10x2xbf16>
    %9 = stablehlo.reshape %8 : (tensor<4x2x64x10x2xbf16>) -> tensor<4x2x64x20xbf16>
    %10 = stablehlo.reshape %9 : (tensor<4x2x64x20xbf16>) -> tensor<4x128x20xbf16>
    %11 = stablehlo.slice %10 [0:4, 0:66, 0:20] : (tensor<4x128x20xbf16>) -> tensor<4x66x20xbf16>
    %12 = stablehlo.broadcast_in_dim %arg0, dims = [0, 2] : (tensor<3x66xbf16>) -> tensor<3x2x66xbf16>
    %13 = stablehlo.reshape %12 : (tensor<3x2x66xbf16>) -> tensor<6x66xbf16>
    %14 = stablehlo.constant dense<0> : tensor<i32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [] : (tensor<i32>) -> tensor<3x2xi32>
    %16 = stablehlo.maximum %arg2, %15 : tensor<3x2xi32>
    %17 = stablehlo.reshape %16 : (tensor<3x2xi32>) -> tensor<6xi32>
    %18 = stablehlo.constant dense<0> : tensor<i32>
    %19 = stablehlo.constant dense<1> : tensor<i32>
    %20 = stablehlo.constant dense<6> : tensor<i32>
    %21 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %22:2 = stablehlo.while(%23 = %18, %24 = %21) : tensor<i32>, tensor<6x20xf32>
    cond {
      %25 = stablehlo.compare LT, %23, %20, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %25 : tensor<i1>
    } do {
    %26 = stablehlo.constant dense<1> : tensor<i32>
    %27 = stablehlo.multiply %23, %26 : tensor<i32>
    %28 = stablehlo.constant dense<0> : tensor<i32>
    %29 = stablehlo.dynamic_slice %13, %27, %28, sizes = [1, 66] : (tensor<6x66xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x66xbf16>
    %30 = stablehlo.dynamic_slice %17, %23, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %31 = stablehlo.reshape %30 : (tensor<1xi32>) -> tensor<i32>
    %32 = stablehlo.constant dense<3> : tensor<i32>
    %33 = stablehlo.minimum %31, %32 : tensor<i32>
    %34 = stablehlo.constant dense<0> : tensor<i32>
    %35 = stablehlo.dynamic_slice %3, %33, %34, %34, sizes = [1, 20, 66] : (tensor<4x20x66xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xbf16>
    %36 = stablehlo.reshape %35 : (tensor<1x20x66xbf16>) -> tensor<20x66xbf16>
    %37 = stablehlo.dot_general %29, %36, contracting_dims = [1] x [1] : (tensor<1x66xbf16>, tensor<20x66xbf16>) -> tensor<1x20xf32>
    %38 = stablehlo.constant dense<0> : tensor<i32>
    %39 = stablehlo.dynamic_update_slice %24, %37, %27, %38 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %40 = stablehlo.add %23, %19 : tensor<i32>
    stablehlo.return %40, %39 : tensor<i32>, tensor<6x20xf32>
    }
    %41 = stablehlo.logistic %22#1 : tensor<6x20xf32>
    %42 = stablehlo.multiply %22#1, %41 : tensor<6x20xf32>
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
    %54 = stablehlo.dynamic_slice %13, %52, %53, sizes = [1, 66] : (tensor<6x66xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x66xbf16>
    %55 = stablehlo.dynamic_slice %17, %48, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %56 = stablehlo.reshape %55 : (tensor<1xi32>) -> tensor<i32>
    %57 = stablehlo.constant dense<3> : tensor<i32>
    %58 = stablehlo.minimum %56, %57 : tensor<i32>
    %59 = stablehlo.constant dense<0> : tensor<i32>
    %60 = stablehlo.dynamic_slice %7, %58, %59, %59, sizes = [1, 20, 66] : (tensor<4x20x66xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xbf16>
    %61 = stablehlo.reshape %60 : (tensor<1x20x66xbf16>) -> tensor<20x66xbf16>
    %62 = stablehlo.dot_general %54, %61, contracting_dims = [1] x [1] : (tensor<1x66xbf16>, tensor<20x66xbf16>) -> tensor<1x20xf32>
    %63 = stablehlo.constant dense<0> : tensor<i32>
    %64 = stablehlo.dynamic_update_slice %49, %62, %52, %63 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %65 = stablehlo.add %48, %44 : tensor<i32>
    stablehlo.return %65, %64 : tensor<i32>, tensor<6x20xf32>
    }
    %66 = stablehlo.multiply %42, %47#1 : tensor<6x20xf32>
    %67 = stablehlo.convert %66 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %68 = stablehlo.constant dense<0> : tensor<i32>
    %69 = stablehlo.constant dense<1> : tensor<i32>
    %70 = stablehlo.constant dense<6> : tensor<i32>
    %71 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %72:2 = stablehlo.while(%73 = %68, %74 = %71) : tensor<i32>, tensor<6x66xf32>
    cond {
      %75 = stablehlo.compare LT, %73, %70, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %75 : tensor<i1>
    } do {
    %76 = stablehlo.constant dense<1> : tensor<i32>
    %77 = stablehlo.multiply %73, %76 : tensor<i32>
    %78 = stablehlo.constant dense<0> : tensor<i32>
    %79 = stablehlo.dynamic_slice %67, %77, %78, sizes = [1, 20] : (tensor<6x20xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x20xbf16>
    %80 = stablehlo.dynamic_slice %17, %73, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %81 = stablehlo.reshape %80 : (tensor<1xi32>) -> tensor<i32>
    %82 = stablehlo.constant dense<3> : tensor<i32>
    %83 = stablehlo.minimum %81, %82 : tensor<i32>
    %84 = stablehlo.constant dense<0> : tensor<i32>
    %85 = stablehlo.dynamic_slice %11, %83, %84, %84, sizes = [1, 66, 20] : (tensor<4x66x20xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xbf16>
    %86 = stablehlo.reshape %85 : (tensor<1x66x20xbf16>) -> tensor<66x20xbf16>
    %87 = stablehlo.dot_general %79, %86, contracting_dims = [1] x [1] : (tensor<1x20xbf16>, tensor<66x20xbf16>) -> tensor<1x66xf32>
    %88 = stablehlo.constant dense<0> : tensor<i32>
    %89 = stablehlo.dynamic_update_slice %74, %87, %77, %88 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %90 = stablehlo.add %73, %69 : tensor<i32>
    stablehlo.return %90, %89 : tensor<i32>, tensor<6x66xf32>
    }
    %91 = stablehlo.convert %72#1 : (tensor<6x66xf32>) -> tensor<6x66xbf16>
    %92 = stablehlo.reshape %91 : (tensor<6x66xbf16>) -> tensor<3x2x66xbf16>
    %93 = stablehlo.convert %92 : (tensor<3x2x66xbf16>) -> tensor<3x2x66xf32>
    %94 = stablehlo.compare GE, %arg2, %15, SIGNED : (tensor<3x2xi32>, tensor<3x2xi32>) -> tensor<3x2xi1>
    %95 = stablehlo.constant dense<0.0> : tensor<f32>
    %96 = stablehlo.broadcast_in_dim %95, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
    %97 = stablehlo.select %94, %arg1, %96 : tensor<3x2xi1>, tensor<3x2xf32>
    %98 = stablehlo.broadcast_in_dim %97, dims = [0, 1] : (tensor<3x2xf32>) -> tensor<3x2x66xf32>
    %99 = stablehlo.multiply %93, %98 : tensor<3x2x66xf32>
    %100 = stablehlo.constant dense<0.0> : tensor<f32>
    %101 = stablehlo.reduce(%99 init: %100) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    %102 = stablehlo.convert %101 : (tensor<3x66xf32>) -> tensor<3x66xbf16>
    %103 = stablehlo.add %arg3, %102 : tensor<3x66xbf16>
    return %103 : tensor<3x66xbf16>
  }
}
